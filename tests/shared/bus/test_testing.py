"""The test kit keeps its word: services joined in one thread, and a broker whose faults really happen."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from shared import bus, clock
from shared.bus.testing import Fault, FaultyTransport, Harness, Member, MemoryTransport, StillMoving, by_itself
from shared.bus.topology import Topology
from shared.bus.transport import Delivery, TopologyMissing, Transport, TransportDown
from shared.database.sessions import Database
from shared.errors import Conflict, Title
from shared.events.activities import AttendanceRevised, AttendanceSettled
from tests.factories.ledger import make_revised, make_settled
from tests.shared.bus.hearing import Settled, hear, heard, hearing, hearing_unless
from tests.shared.bus.running import Owner
from tests.shared.bus.transport.letters import INBOX, ids, make_letter, make_letters, publish_all

SATURDAY = datetime(2031, 5, 17, 9, tzinfo=UTC)
INBOX_ONLY = Topology({INBOX: frozenset({"activities.attendance.settled"})})
CALLS = 60


class Unwelcome(Conflict):
    """A rule says no to a fact."""

    code = "unwelcome"
    title = Title(zh="不受欢迎", en="Unwelcome")


def answer(tx: Session, events: Settled) -> None:
    """Tell a corrected fact for each settled one: a service that hears and tells."""
    hear(tx, events)
    bus.emit_all(tx, [make_revised(event, minutes=90) for event in events])


def tell(database: Database, *facts: AttendanceSettled) -> None:
    with database.transaction() as tx:
        bus.emit_all(tx, facts)


def heard_in(database: Database) -> list[UUID]:
    with database.transaction() as tx:
        return heard(tx)


@pytest.fixture
def unstable() -> FaultyTransport:
    return FaultyTransport(
        MemoryTransport(INBOX_ONLY), Random(3), duplicate=0.2, reorder=0.5, delay=0.2, drop=0.2  # noqa: S311  No secret.
    )  # fmt: skip


@pytest.fixture
def pair(telling: Database, listening: Database) -> Iterator[Harness]:
    """Join a service that tells and one that hears and answers."""
    members = (Member("activities", telling), Member("ledger", listening, hearing(answer)))
    with Harness(*members) as harness:
        yield harness


class TestHarness:
    def test_what_one_service_tells_the_other_has_heard(
        self, pair: Harness, telling: Database, listening: Database
    ) -> None:
        """The example for a service's tests: tell, let things come to rest, look at both ends."""
        fact = make_settled(minutes=120)
        tell(telling, fact)

        pair.run_until_idle()

        assert heard_in(listening) == [fact.attendance_id]
        assert pair.published() == [fact, make_revised(fact, minutes=90)]
        assert pair.published(AttendanceRevised) == [make_revised(fact, minutes=90)]
        assert pair.dead_letters("ledger") == []

    def test_facts_come_at_their_time(self, pair: Harness, telling: Database, listening: Database) -> None:
        """`at` is the clock for relays and handlers alike; the real time is back when the harness is closed."""
        fact, later = make_settled(), make_settled()
        with telling.transaction() as tx:
            bus.emit(tx, fact, at=SATURDAY)
            bus.emit(tx, later, at=SATURDAY + timedelta(days=1))

        pair.run_until_idle(at=SATURDAY - timedelta(minutes=1))
        assert heard_in(listening) == []
        pair.run_until_idle(at=SATURDAY)
        assert heard_in(listening) == [fact.attendance_id]
        pair.close()
        assert clock.now() < SATURDAY

    def test_what_cannot_be_handled_is_shown(self, telling: Database, listening: Database) -> None:
        """A dead letter is rest too; a test asks for it where it expects none."""

        def refuse(_tx: Session, _events: Settled) -> None:
            raise Unwelcome(minutes=1)

        members = (Member("activities", telling), Member("ledger", listening, hearing_unless(refuse)))
        with Harness(*members) as harness:
            tell(telling, make_settled())
            harness.run_until_idle()

            assert [letter.error for letter in harness.dead_letters("ledger")] == [
                "Unwelcome: unwelcome: Unwelcome (minutes=1)"
            ]

    def test_work_that_is_joined_runs_too(self, telling: Database, listening: Database) -> None:
        """Tasks are a list of things to do; what they tell is moved as well."""
        facts = [make_settled() for _ in range(3)]
        left = list(facts)

        def run_due_task() -> int:
            if not left:
                return 0
            tell(telling, left.pop(0))
            return 1

        members = (Member("activities", telling), Member("ledger", listening, hearing()))
        with Harness(*members, runners=[run_due_task]) as harness:
            harness.run_until_idle()

        assert heard_in(listening) == [fact.attendance_id for fact in facts]

    def test_what_never_rests_is_named(self, telling: Database) -> None:
        """Two services that answer each other for ever end a test with their names, not with its time limit."""

        def chatter() -> int:
            return 1

        with (
            Harness(Member("activities", telling), runners=[chatter]) as harness,
            pytest.raises(StillMoving, match=r"moved in the last one: .*chatter \(1\); waiting: nothing"),
        ):
            harness.run_until_idle()

    def test_a_broker_that_stays_away_is_named(self, telling: Database) -> None:
        """Rows that nobody takes are no rest."""
        transport = FaultyTransport(MemoryTransport(INBOX_ONLY), Random(1), drop=1)  # noqa: S311  No secret.
        tell(telling, make_settled())

        with (
            Harness(Member("activities", telling), transport=transport) as harness,
            pytest.raises(StillMoving, match=r"relay of activities \(1\); waiting: outbox of activities \(1\)"),
        ):
            harness.run_until_idle()

    def test_a_queue_that_is_missing_is_said(self, telling: Database, listening: Database) -> None:
        """A forgotten binding is no silence."""
        transport = MemoryTransport(Topology({}))
        members = (Member("activities", telling), Member("ledger", listening, hearing()))

        with Harness(*members, transport=transport) as harness, pytest.raises(TopologyMissing, match=r"ledger\.inbox"):
            harness.run_until_idle()

    def test_it_joins_real_brokers(self, transport: Transport, telling: Database, listening: Database) -> None:
        """The same test on any transport; a service may hear through one while the test only looks."""
        facts = [make_settled() for _ in range(20)]
        tell(telling, *facts)

        members = (Member("activities", telling), Member("ledger", listening, hearing(batch=3)))
        with Harness(*members, transport=transport, wait_seconds=1) as harness:
            harness.run_until_idle()

        assert heard_in(listening) == [fact.attendance_id for fact in facts]

    def test_faults_are_absorbed(
        self, unstable: FaultyTransport, telling: Database, listening: Database, hearer: Owner
    ) -> None:
        """Connections that drop, letters that come twice, late and shuffled: each fact is heard once."""
        facts = [make_settled() for _ in range(CALLS)]
        members = (Member("activities", telling), Member("ledger", listening, hearing(batch=7)))
        with Harness(*members, transport=unstable) as harness:
            for fact in facts:
                tell(telling, fact)
                harness.relay("activities")
                harness.consume("ledger")
            harness.run_until_idle()

            assert sorted(heard_in(listening)) == sorted(fact.attendance_id for fact in facts)
            assert harness.interruptions.total() > 0
        assert set(unstable.happened) == set(Fault)
        assert [hearer.count(table) for table in ("dead_letter", "suspect", "parked_letter")] == [0, 0, 0]


class Reader:
    """Reads a faulty queue to its end, acknowledging what a consumer would."""

    def __init__(self, transport: Transport, *, batch: int = 10) -> None:
        self.transport = transport
        self.subscription = transport.subscribe(INBOX, batch=batch)
        self.seen: list[Delivery] = []
        self.batches: list[int] = []

    def read(self) -> list[Delivery]:
        """Return all that was handed out, repeats included."""
        while (stats := self.transport.stats(INBOX)).ready or stats.unacked:
            with contextlib.suppress(TransportDown):
                batch = self.subscription.fetch(timeout=0)
                self.seen += batch
                self.batches.append(len(batch))
                self.subscription.ack(batch)
        return self.seen


def faulty(**shares: float) -> FaultyTransport:
    return FaultyTransport(MemoryTransport(INBOX_ONLY), Random(5), stream_of=by_itself, **shares)  # noqa: S311  No secret.


class TestFaults:
    def test_without_shares_nothing_happens(self) -> None:
        """The wrapper itself changes nothing."""
        transport = faulty()
        letters = make_letters(30)
        transport.publish(letters)

        assert ids(Reader(transport).read()) == [letter.id for letter in letters]
        assert not transport.happened

    def test_letters_come_twice(self) -> None:
        """From the publisher as two letters, from the broker as one handed out again, marked or not."""
        transport = faulty(duplicate=0.3)
        letters = make_letters(200)
        transport.publish(letters)

        seen = Reader(transport).read()

        assert transport.happened.keys() == {Fault.SENT_TWICE, Fault.HANDED_TWICE}
        assert len(seen) == len(letters) + transport.happened.total()
        assert set(ids(seen)) == {letter.id for letter in letters}
        assert {delivery.redelivered for delivery in seen} == {True, False}

    def test_letters_come_in_another_order(self) -> None:
        """Within a batch at least."""
        transport = faulty(reorder=1)
        letters = make_letters(100)
        transport.publish(letters)

        seen = ids(Reader(transport).read())

        assert transport.happened[Fault.SHUFFLED] == 10
        assert seen != [letter.id for letter in letters]
        assert sorted(seen) == sorted(letter.id for letter in letters)

    def test_letters_come_late(self) -> None:
        """Those behind them overtake; batches are no larger for it."""
        transport = faulty(delay=0.3)
        letters = make_letters(100)
        transport.publish(letters)

        reader = Reader(transport)
        seen = ids(reader.read())

        assert transport.happened[Fault.HELD_BACK] > 10
        assert seen != [letter.id for letter in letters]
        assert sorted(seen) == sorted(letter.id for letter in letters)
        assert max(reader.batches) <= 10

    def test_letters_of_one_stream_keep_their_order(self) -> None:
        """As with one active consumer of one queue: late and shuffled, but each key's own first, second, third."""
        transport = FaultyTransport(
            MemoryTransport(INBOX_ONLY), Random(9), duplicate=0.2, reorder=1, delay=0.4, drop=0.2,  # noqa: S311  No secret.
            stream_of=lambda delivery: int(delivery.body) % 4,
        )  # fmt: skip
        letters = [make_letter(body=str(number).encode()) for number in range(200)]
        for letter in letters:
            publish_all(transport, [letter])

        order = [int(delivery.body) for delivery in Reader(transport).read()]

        for stream in range(4):
            assert list(dict.fromkeys(one for one in order if one % 4 == stream)) == list(range(stream, 200, 4))
        assert list(dict.fromkeys(order)) != list(range(200))

    def test_connections_drop(self) -> None:
        """Before, while and after a call; nothing that was confirmed is missing, the rest may be there or not."""
        transport = faulty(drop=0.4)
        letters = make_letters(CALLS * 5)
        confirmed: set[UUID] = set()
        for start in range(0, len(letters), 5):
            with contextlib.suppress(TransportDown):
                confirmed |= transport.publish(letters[start : start + 5]).keys()

        seen = Reader(transport).read()

        assert transport.happened.keys() == {Fault.LOST, Fault.UNCONFIRMED, Fault.UNANSWERED, Fault.CUT}
        assert confirmed <= set(ids(seen)) <= {letter.id for letter in letters}
        assert len(confirmed) < len(set(ids(seen))) < len(letters)
        assert len(seen) > len(set(ids(seen)))
        assert any(delivery.redelivered for delivery in seen)

    def test_an_acknowledgement_settles_nothing_that_is_held_back(self) -> None:
        """A broker takes "all up to this one"; a letter that nobody has handled must not be among them."""
        transport = faulty(delay=0.5)
        letters = make_letters(10)
        transport.publish(letters)
        subscription = transport.subscribe(INBOX, batch=10)
        given = subscription.fetch(timeout=0)
        subscription.ack(given)
        assert 0 < len(given) < len(letters)

        subscription.close()

        again = transport.transport.subscribe(INBOX, batch=10).fetch(timeout=0)
        assert set(ids(given)) | set(ids(again)) == {letter.id for letter in letters}

    def test_the_same_seed_gives_the_same_faults(self) -> None:
        """What a run has found can be looked at again."""
        letters = make_letters(50)
        runs = []
        for _ in range(2):
            transport = faulty(duplicate=0.2, reorder=0.5, delay=0.2, drop=0.1)
            publish_all(transport, letters)
            runs.append((ids(Reader(transport).read()), transport.happened))

        assert runs[0] == runs[1]
