"""The way from an outbox to the broker: in order, each row until it is confirmed, one relay at a time."""

import threading
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared import bus, telemetry
from shared.bus import outbox
from shared.bus.outbox import Lane, Parcel
from shared.bus.relay import EVENTS, Relay, Route
from shared.bus.tasks.sweeping import SENT
from shared.bus.transport import MAX_BODY_BYTES, Forbidden, Letter, Outcome, Transport, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.sessions import Database
from shared.database.signals import listen, wait_for_signal
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.factories.ledger import make_settled, make_voided
from tests.shared.bus.brokers import Answer, Scripted, confirm, confirm_only, refuse
from tests.shared.bus.running import Owner, running
from tests.shared.bus.telling import relay, tell, until_empty, waiting
from tests.shared.bus.transport.letters import INBOX, receive
from tests.waiting import until


def tell_and_fail(database: Database) -> None:
    with database.transaction() as tx:
        bus.emit(tx, make_settled())
        raise ZeroDivisionError


def sent(letters: Sequence[Letter]) -> list[UUID]:
    return [letter.id for letter in letters]


def test_facts_leave_in_order_and_are_deleted_when_confirmed(
    telling: Database, told: Owner, transport: Transport
) -> None:
    """Over several transactions, while the relay runs, and on both transports."""
    inbox = transport.subscribe(INBOX, batch=500)
    inbox.fetch(timeout=0)
    before = tell(telling, 40)
    with running(relay(telling, transport).run):
        facts = [*before, *tell(telling, 20), *tell(telling, 1)]
        arrived = receive(inbox, len(facts))
        until_empty(told)

    assert [letter.headers["ce-partitionkey"] for letter in arrived] == [str(fact.attendance_id) for fact in facts]


def test_what_leaves_is_a_cloudevent(telling: Database, transport: Transport) -> None:
    """Others read our events with the CloudEvents SDK, not with our code."""
    with telemetry.trace(None) as trace_id:
        (fact,) = tell(telling)
    with running(relay(telling, transport).run):
        (letter,) = receive(transport.subscribe(INBOX, batch=1), 1)

    message = RabbitMQMessage(headers=dict(letter.headers), content_type="application/json", body=letter.body)
    event = from_binary(message, JSONFormat())
    assert (event.get_type(), event.get_source()) == (fact.type, "/popcandy/activities")
    assert (event.get_specversion(), UUID(event.get_id()).version) == ("1.0", 7)
    assert event.get_time() is not None
    assert event.get_extension("partitionkey") == str(fact.attendance_id)
    assert event.get_extension("programmeid") == str(fact.programme_id)
    assert event.get_extension("traceparent").split("-")[1] == trace_id
    assert AttendanceSettled.model_validate(event.get_data()) == fact
    assert letter.routing_key == "activities.attendance.settled"


def test_a_refused_letter_waits_and_the_others_go_on(telling: Database, told: Owner) -> None:
    """It is tried again later, after growing pauses; nobody waits behind it."""
    tell(telling, 5)
    rows = waiting(told)
    broker = Scripted(refuse(rows[1]), refuse(rows[1]))

    with running(relay(telling, broker).run):
        until(lambda: waiting(told) == [rows[1]], timeout=10, missing="only the refused one in the outbox")
        tell(telling, 3)
        until(lambda: waiting(told) == [rows[1]], timeout=10, missing="later facts gone past the refused one")
        until_empty(told)

    times = [call for call in broker.calls if rows[1] in sent(call)]
    assert len(times) >= 2
    assert sent(broker.letters).count(rows[0]) == 1


def test_a_refused_letter_backs_off_further_each_time(telling: Database, told: Owner) -> None:
    """A broker that says no is not asked ten times a second."""
    tell(telling)
    broker = Scripted(*[refuse(*waiting(told))] * 9)
    one = relay(telling, broker)

    def try_at_once() -> float:
        told.execute("UPDATE outbox SET next_try_at = NULL")
        with telling.engine.connect() as connection:
            assert one.pump(connection) == 0
        ((seconds,),) = told.execute("SELECT extract(epoch FROM next_try_at - now())::float FROM outbox")
        return float(str(seconds))

    pauses = [try_at_once() for _ in range(3)]

    assert [round(seconds) for seconds in pauses] == [1, 2, 4]
    with telling.engine.connect() as connection:
        assert one.pump(connection) == 0
    assert len(broker.calls) == 3


def test_a_letter_without_an_outcome_is_sent_again(telling: Database, told: Owner) -> None:
    """Unknown is not lost: it may arrive twice, and the inbox absorbs that."""
    tell(telling, 10)
    rows = waiting(told)
    broker = Scripted(confirm_only(4))

    with running(relay(telling, broker).run):
        until_empty(told)

    assert sent(broker.letters) == [*rows, *rows[4:]]


def test_a_broker_that_is_away_loses_nothing(telling: Database, told: Owner) -> None:
    """The rows stay until it answers, and leave in order then."""

    def away(_letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        raise TransportDown("no answer")

    tell(telling, 10)
    rows = waiting(told)
    broker = Scripted(away, away)

    with running(relay(telling, broker).run):
        until(lambda: broker.calls, timeout=10, missing="the first try")
        assert waiting(told) == rows
        until_empty(told)

    assert sent(broker.calls[-1]) == rows


def test_a_rabbitmq_that_is_not_there_loses_nothing(telling: Database, told: Owner) -> None:
    """The real transport says so in a way that the relay understands."""
    tell(telling, 3)
    rows = waiting(told)
    one = relay(telling, RabbitTransport("amqp://guest:guest@127.0.0.1:1/bus"))

    with telling.engine.connect() as connection, pytest.raises(TransportDown):
        one.pump(connection)

    assert waiting(told) == rows


class Stuck:
    """A broker that keeps a relay waiting until it is released."""

    def __init__(self) -> None:
        self.reached, self.release = threading.Event(), threading.Event()

    def __call__(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        self.reached.set()
        assert self.release.wait(20)
        return confirm(letters)


class TestTwoRelays:
    def test_one_is_active_and_the_other_takes_over_when_its_connection_dies(
        self, telling: Database, told: Owner, services: object
    ) -> None:
        """F15: never two at once; what the first left open is published again, and nothing stays behind."""
        del services
        stuck = Stuck()
        first, second = Scripted(stuck), Scripted()
        tell(telling, 5)
        rows = waiting(told)

        with running(relay(telling, first).run) as _:
            assert stuck.reached.wait(10)
            with running(relay(telling, second).run):
                leader = told.leader()
                assert leader is not None
                until(lambda: told.execute("SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_try_advisory_lock' AND "
                                           "pid <> :leader AND datname = current_database()", leader=leader),
                      timeout=10, missing="a second relay that asks for the lead")  # fmt: skip
                assert second.calls == []

                told.cut(leader)
                until_empty(told)
                assert sent(second.letters) == rows
                stuck.release.set()
                later = tell(telling, 2)
                until_empty(told)

        assert sent(first.letters) == rows
        assert [letter.headers["ce-partitionkey"] for letter in second.letters[5:]] == [
            str(fact.attendance_id) for fact in later
        ]

    def test_a_relay_that_is_stopped_makes_room_at_once(self, telling: Database, told: Owner) -> None:
        """A deploy does not wait for a time-out."""
        first, second = Scripted(), Scripted()
        with running(relay(telling, first).run):
            until(told.leader, timeout=10, missing="a leading relay")
        with running(relay(telling, second).run):
            tell(telling, 3)
            until_empty(told)

        assert (len(first.letters), len(second.letters)) == (0, 3)


def unfit(letters: Sequence[Letter]) -> dict[UUID, Outcome]:
    return {letter.id: Outcome.UNFIT for letter in letters}


def forbid(*ids: UUID) -> Answer:
    """End the channel over some letters; which of a batch it was, the broker does not say."""

    def answer(letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        if any(letter.id in ids for letter in letters):
            raise Forbidden("403: not yours to tell")
        return confirm(letters)

    return answer


class TestWhatNobodyHears:
    def test_it_goes_into_the_archive_without_travelling(self, telling: Database, told: Owner) -> None:
        """Whoever comes to hear it one day begins there; what somebody hears travels as ever."""
        facts = tell(telling, 3)
        with telling.transaction() as tx:
            bus.emit(tx, make_voided(facts[0]))
        broker = Scripted()
        heard = Relay(telling, broker, service="activities", heard={"activities.attendance.voided"})

        with running(heard.run):
            until_empty(told)

        assert [letter.routing_key for letter in broker.letters] == ["activities.attendance.voided"]
        assert told.execute("SELECT type, count(*) FROM event_archive GROUP BY type ORDER BY type") == [
            ("activities.attendance.settled.v1", 3),
            ("activities.attendance.voided.v1", 1),
        ]
        assert told.count("dead_letter") == 0

    def test_a_broker_is_not_asked_about_it(self, telling: Database, told: Owner) -> None:
        """A batch that nobody hears is no batch for it, nor does it wait while the broker is away."""
        tell(telling, 3)
        broker = Scripted()

        with running(Relay(telling, broker, service="activities", heard=()).run):
            until_empty(told)

        assert broker.letters == []
        assert told.count("event_archive") == 3


class TestWhatABrokerNeverTakes:
    def test_a_forbidden_letter_is_found_and_its_neighbours_leave(self, telling: Database, told: Owner) -> None:
        """F6: one dead letter with the broker's words; the others are not held up by it."""
        facts = tell(telling, 9)
        rows = waiting(told)
        broker = Scripted(*[forbid(rows[4])] * 20)

        with running(relay(telling, broker).run):
            until_empty(told)

        assert told.execute("SELECT reason, origin, error, event_id FROM dead_letter") == [
            ("forbidden", "outbox", "403: not yours to tell", rows[4])
        ]
        assert told.execute("SELECT count(*) FROM event_archive") == [(8,)]
        assert {letter.headers["ce-partitionkey"] for letter in broker.letters} == {
            str(fact.attendance_id) for fact in facts
        }

    @pytest.mark.parametrize("kind", ["forbidden", "unfit"])
    def test_a_wake_up_is_put_off(self, telling: Database, told: Owner, kind: str) -> None:
        """Its run is queued still: a dead letter that wakes it would be one too many, and could not be replayed."""
        with telling.transaction() as tx:
            outbox.post(tx, Lane.TASK, [Parcel(new_id(), "activities.count", None, str(new_id()), "{}")])
        rows = waiting(told)
        broker = Scripted(forbid(*rows) if kind == "forbidden" else unfit)
        work = Relay(telling, broker, service="activities", route=Route(Lane.TASK, EVENTS.letter_of, SENT))

        with running(work.run):
            until(lambda: told.count("outbox WHERE attempts = 1") == 1, timeout=20, missing="a wake-up that waits")
            assert told.count("dead_letter") == 0
            told.execute("UPDATE outbox SET next_try_at = now()")
            until_empty(told)

    def test_a_letter_that_is_too_large_is_kept_with_the_reason(
        self, telling: Database, told: Owner, transport: Transport
    ) -> None:
        """F25: above the limit it becomes a dead letter, at the limit it travels; nobody waits behind either."""
        tell(telling, 3)
        rows = waiting(told)
        for row, extra in ((rows[0], 0), (rows[1], 1)):
            told.execute(
                "UPDATE outbox SET body = body || repeat(' ', :length - octet_length(body)) WHERE event_id = :id",
                length=MAX_BODY_BYTES + extra, id=row,
            )  # fmt: skip

        with running(relay(telling, transport).run):
            until_empty(told)

        ((reason, error, event_id),) = told.execute("SELECT reason, error, event_id FROM dead_letter")
        assert (reason, event_id) == ("unfit", rows[1])
        assert "limit is 1,048,576" in str(error)
        arrived = receive(transport.subscribe(INBOX, batch=10), 2)
        assert sorted(UUID(letter.headers["ce-id"]) for letter in arrived) == sorted([rows[0], rows[2]])


def _has(broker: Scripted, letters: int) -> bool:
    return len(broker.letters) == letters


class TestWakeUp:
    def test_a_relay_is_woken_by_the_commit(self, telling: Database) -> None:
        """One that hardly ever looks by itself sends each fact all the same."""
        broker = Scripted()
        with running(Relay(telling, broker, service="activities", poll_seconds=60).run) as stop:
            for number in range(20):
                tell(telling)
                until(partial(_has, broker, number + 1), timeout=10, missing="the fact")
            stop.set()
            tell(telling)

    def test_a_signal_is_sent_after_the_commit_only(self, telling: Database) -> None:
        """What is rolled back wakes nobody."""
        with telling.engine.connect() as connection:
            listen(connection, Lane.EVENT.channel)
            with pytest.raises(ZeroDivisionError):
                tell_and_fail(telling)
            assert not wait_for_signal(connection, seconds=0.05)
            with telling.transaction() as tx:
                bus.emit(tx, make_settled())
                assert not wait_for_signal(connection, seconds=0.05)
            assert wait_for_signal(connection, seconds=10)

    def test_without_a_signal_it_looks_by_itself(self, telling: Database, told: Owner) -> None:
        """A signal can be lost with the process that was to send it."""
        broker = Scripted()
        with running(relay(telling, broker).run):
            tell(telling)
            until_empty(told)
            told.execute("""
                INSERT INTO outbox (event_id, type, programme_id, partition_key, emitted_at, traceparent, body)
                SELECT uuidv7(), type, programme_id, partition_key, emitted_at, traceparent, body FROM event_archive
            """)
            until(lambda: len(broker.letters) == 2, timeout=10, missing="the fact that nobody signalled")

    def test_a_lane_leaves_the_other_alone(self, telling: Database, told: Owner) -> None:
        """Facts never wait behind work: each lane has a relay of its own, at the same time."""
        with telling.transaction() as tx:
            outbox.post(tx, Lane.TASK, [Parcel(new_id(), "activities.count", None, str(new_id()), "{}")])
        tell(telling)
        events, tasks = Scripted(), Scripted()
        work = Relay(telling, tasks, service="activities", route=Route(Lane.TASK, EVENTS.letter_of, SENT))

        with running(relay(telling, events).run, work.run):
            until_empty(told)

        assert [len(broker.letters) for broker in (events, tasks)] == [1, 1]
        assert tasks.letters[0].headers["ce-type"] == "activities.count"
