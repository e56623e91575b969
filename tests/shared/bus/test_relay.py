"""The way from an outbox to the broker: in order, each row until it is confirmed, one relay at a time."""

import threading
from collections.abc import Sequence
from uuid import UUID

import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared import bus, telemetry
from shared.bus.relay import Relay
from shared.bus.transport import Letter, Outcome, Transport, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.brokers import Scripted, confirm, confirm_only, refuse
from tests.shared.bus.running import Owner, running
from tests.shared.bus.transport.letters import INBOX, receive
from tests.waiting import until


def tell(database: Database, count: int = 1) -> list[AttendanceSettled]:
    facts = [make_settled() for _ in range(count)]
    with database.transaction() as tx:
        bus.emit_all(tx, facts)
    return facts


def waiting(told: Owner) -> list[UUID]:
    """Return the ids in the outbox, in order."""
    return [UUID(str(event_id)) for (event_id,) in told.execute("SELECT event_id FROM outbox ORDER BY position")]


def relay(database: Database, transport: Transport) -> Relay:
    return Relay(database, transport, service="activities")


def until_empty(told: Owner) -> None:
    until(lambda: told.count("outbox") == 0, timeout=20, missing="an empty outbox")


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
        """Never two at once; what the first left open is published again, and nothing stays behind."""
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
