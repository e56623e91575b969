"""What is set aside by the broker is brought in at once, and old marks are forgotten where that is safe."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import bus
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.topology import dead_queue_of, unrouted_queue_of
from shared.bus.transport import Delivery, Letter, Transport
from shared.bus.upkeep import Aside, Upkeep, keep_given_up, keep_unrouted
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import hear, hearing
from tests.shared.bus.running import Owner, running
from tests.waiting import until

Connect = Callable[[], Transport]


def letter_with_key(routing_key: str) -> Letter:
    message = message_of(make_settled())
    return Letter(new_id(), routing_key, message.headers, message.body)


def test_what_nobody_hears_becomes_a_dead_letter_of_who_told_it(
    connect: Connect, listening: Database, hearer: Owner
) -> None:
    """F7: kept with its key and its trace, not lost and not left where only a broker's page shows it."""
    transport = connect()
    queue = unrouted_queue_of("activities")
    upkeep = Upkeep(Inbox(listening, hearing()), [Aside(transport, queue, keep_unrouted)])
    letters = [letter_with_key("activities.weather.changed") for _ in range(3)]

    transport.publish(letters)
    with running(upkeep.run):
        until(lambda: hearer.count("dead_letter") == 3, timeout=20, missing="three dead letters")
        until(lambda: transport.stats(queue).ready == 0, timeout=20, missing="an empty queue")

    rows = hearer.execute("SELECT DISTINCT origin, reason, error, trace_id IS NOT NULL FROM dead_letter")
    assert rows == [("unrouted", "unrouted", "nobody hears activities.weather.changed", True)]


@pytest.mark.rabbitmq
@pytest.mark.parametrize("connect", ["rabbit"], indirect=True)
def test_what_the_broker_gave_up_can_be_read_and_tried_again(
    connect: Connect, listening: Database, hearer: Owner
) -> None:
    """R2: it is in our table with the broker's reason, whole enough to be handled after all."""
    transport = connect()
    queue = dead_queue_of("ledger")
    inbox = Inbox(listening, hearing())
    given_up = transport.subscribe("ledger.inbox", batch=10)
    letter = letter_with_key("activities.attendance.settled")
    transport.publish([letter])
    hearer.execute("INSERT INTO suspect (event_id, tries) VALUES (:id, 1)", id=letter.headers["ce-id"])
    for _ in range(40):  # The policy's limit is 20 deliveries.
        if transport.stats(queue).ready:
            break
        given_up.fetch(timeout=0.5)
        given_up.close()
        given_up = transport.subscribe("ledger.inbox", batch=10)

    with running(Upkeep(inbox, [Aside(transport, queue, keep_given_up)]).run):
        until(lambda: hearer.count("dead_letter") == 1, timeout=20, missing="the dead letter")

    ((origin, reason, error),) = hearer.execute("SELECT origin, reason, error FROM dead_letter")
    assert (origin, reason) == ("broker", "given_up")
    assert "delivery_limit" in str(error)
    assert hearer.count("suspect") == 0


class TestForgetting:
    def test_only_old_marks_of_handlers_that_allow_it_go(self, listening: Database, hearer: Owner) -> None:
        """A letter may come again after any time; who is not sure about that keeps its marks."""
        month = timedelta(days=30)
        forgetful = bus.on(AttendanceSettled, forget_after=month)(hear)
        inbox = Inbox(listening, Subscriptions("ledger", [forgetful]))
        inbox.settle([message_of(make_settled()) for _ in range(3)])
        hearer.execute("UPDATE inbox SET received_at = now() - interval '31 days' WHERE event_id IN "
                       "(SELECT event_id FROM inbox LIMIT 2)")  # fmt: skip
        hearer.execute("INSERT INTO inbox (event_id, handler, received_at) "
                       "VALUES (uuidv7(), 'ledger.careful', now() - interval '1 year')")  # fmt: skip

        Upkeep(inbox, []).forget_old()

        with listening.transaction() as tx:
            left = tx.execute(text("SELECT handler, count(*) FROM inbox GROUP BY 1 ORDER BY 1")).all()
        assert [tuple(row) for row in left] == [("ledger.careful", 1), (forgetful.name, 1)]

    def test_what_is_kept_is_never_forgotten(self) -> None:
        """The two contradict each other, and the ledger's facts are kept for good."""
        with pytest.raises(ValueError, match="not forgotten"):
            bus.on(AttendanceSettled, keep=True, forget_after=timedelta(days=30))


def test_a_handler_that_keeps_has_its_facts(listening: Database, hearer: Owner) -> None:
    """Each once, as it came, beside its mark: what was made of them can be made again."""
    handler = bus.on(AttendanceSettled, batch=10, keep=True)(hear)
    messages = [message_of(make_settled()) for _ in range(3)]

    Inbox(listening, Subscriptions("ledger", [handler])).settle([*messages, *messages])

    kept = hearer.execute("SELECT event_id::text, type, body FROM inbox ORDER BY event_id")
    assert kept == [
        (message.headers["ce-id"], AttendanceSettled.type, message.body)
        for message in sorted(messages, key=lambda message: message.headers["ce-id"])
    ]


class Hesitant:
    """A burial that fails a few times before it works, as while a database is busy or slow."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def has_at_most(self, failures: int) -> bool:
        return len(self.states) <= failures

    def keep(self, tx: Session, delivery: Delivery) -> None:
        if self.states:
            tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{self.states.pop()}'; END $$"))
        keep_unrouted(tx, delivery)


def test_what_cannot_be_kept_now_is_kept_later_and_never_acknowledged_before(
    connect: Connect, listening: Database, hearer: Owner
) -> None:
    """An acknowledgement settles all letters before it: a batch that was not kept is given back whole."""
    transport = connect()
    queue = unrouted_queue_of("activities")
    burial = Hesitant("55P03", "57014")
    upkeep = Upkeep(Inbox(listening, hearing()), [Aside(transport, queue, burial.keep)])

    with running(upkeep.run):
        for left in (1, 0, 0):
            transport.publish([letter_with_key("activities.weather.changed")])
            until(partial(burial.has_at_most, left), timeout=20, missing="a try")
        until(lambda: hearer.count("dead_letter") == 3, timeout=20, missing="three dead letters")
        until(lambda: transport.stats(queue).ready == 0, timeout=20, missing="an empty queue")


def test_what_has_had_its_time_is_trimmed_a_part_at_a_time(listening: Database) -> None:
    """The kept answers of the doors, say; each part in a transaction of its own, until nothing is left."""
    parts, seen = [5, 5, 2, 0], list[Session]()

    def trim(tx: Session) -> int:
        seen.append(tx)
        return parts.pop(0)

    Upkeep(Inbox(listening, hearing()), [], trims=[trim]).forget_old()

    assert parts == []
    assert len(set(map(id, seen))) == 4
