"""The test kit keeps its word: services joined in one thread come to rest, over a broker in memory or a real one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from shared import bus, clock
from shared.bus.testing import Fault, FaultyTransport, Harness, Member, MemoryTransport, StillMoving
from shared.bus.topology import Topology
from shared.bus.transport import TopologyMissing, Transport
from shared.database.sessions import Database
from shared.events.activities import AttendanceRevised, AttendanceSettled
from tests.factories.ledger import make_revised, make_settled
from tests.faults.sabotage import Unwelcome
from tests.shared.bus.hearing import Settled, hear, heard, hearing, hearing_unless
from tests.shared.bus.running import Owner
from tests.shared.bus.transport.letters import INBOX

SATURDAY = datetime(2031, 5, 17, 9, tzinfo=UTC)
INBOX_ONLY = Topology({INBOX: frozenset({"activities.attendance.settled"})})
CALLS = 60
SEND = bus.Task("shared.send")


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

    def test_tasks_and_timers_are_done_in_the_same_thread(self, telling: Database, listening: Database) -> None:
        """With their limits, by the clock of the harness; what they tell is heard."""
        tries: list[int] = []

        @bus.work(SEND, max_retries=2, time_limit_ms=5_000, backoff_seconds=60)
        def send(job: bus.Job, minutes: int) -> None:
            tries.append(job.attempt)
            if len(tries) < 3:
                raise ConnectionError
            with job.transaction() as tx:
                bus.emit(tx, make_settled(minutes=minutes))

        @bus.every("0 9 * * SAT", tz="UTC", missed=bus.Missed.ONCE, max_retries=0, time_limit_ms=5_000)
        def open_week(tx: Session, due_at: datetime) -> None:
            bus.task(tx, SEND, due_at.day)

        teller = Member("activities", telling, tasks=[send], timers=[open_week])
        with Harness(teller, Member("ledger", listening, hearing())) as harness:
            harness.run_until_idle(at=SATURDAY - timedelta(minutes=1))
            assert (tries, heard_in(listening)) == ([], [])
            harness.run_until_idle(at=SATURDAY)

            assert tries == [1, 2, 3]
            (told,) = harness.published(AttendanceSettled)
            assert isinstance(told, AttendanceSettled)
            assert (told.service_minutes, heard_in(listening)) == (SATURDAY.day, [told.attendance_id])

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
