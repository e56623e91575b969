"""The loop between a queue and an inbox: nothing is acknowledged that is not durably settled."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.consumer import FETCH_SECONDS, LINGER_SECONDS, Consumer
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery, Letter, TopologyMissing, Transport, TransportDown
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.factories.ledger import make_settled
from tests.shared.bus.brokers import Handing
from tests.shared.bus.hearing import Settled, heard, hearing, hearing_unless
from tests.shared.bus.running import Owner, counted, running
from tests.shared.bus.transport.letters import CONFIRMED, INBOX, publish_all, receive
from tests.waiting import until

Connect = Callable[[], Transport]


def letter_of(delivery: Delivery) -> Letter:
    return Letter(new_id(), delivery.routing_key, delivery.headers, delivery.body)


def send(transport: Transport, *deliveries: Delivery) -> None:
    letters = [letter_of(delivery) for delivery in deliveries]
    assert set(transport.publish(letters).values()) == {CONFIRMED}


def make_facts(count: int) -> list[AttendanceSettled]:
    return [make_settled() for _ in range(count)]


def consuming(transport: Transport, database: Database, subscriptions: Subscriptions) -> Callable[..., None]:
    return Consumer(transport, Inbox(database, subscriptions)).run


def until_heard(database: Database, facts: Sequence[AttendanceSettled]) -> None:
    wanted = sorted(fact.attendance_id for fact in facts)

    def all_there() -> bool:
        with database.transaction() as tx:
            return sorted(heard(tx)) == wanted

    until(all_there, timeout=20, missing=f"the effects of {len(wanted)} facts")


def until_empty(transport: Transport) -> None:
    def nothing_waits() -> bool:
        stats = transport.stats(INBOX)
        return stats.ready == 0 and not stats.unacked

    until(nothing_waits, timeout=20, missing="an empty queue")


def test_what_is_sent_takes_effect_and_leaves_the_queue(connect: Connect, listening: Database, hearer: Owner) -> None:
    """Garbage among it is kept, and kept once."""
    transport = connect()
    facts = make_facts(120)
    messages = [message_of(fact) for fact in facts]
    garbage = Delivery({"ce-type": "?"}, b"\xff\x00", messages[0].routing_key, redelivered=False, receipt=None)
    with running(consuming(transport, listening, hearing(batch=50))):
        send(connect(), *messages[:60], garbage, *messages[60:], garbage)
        until_heard(listening, facts)
        until_empty(transport)

    assert hearer.count("dead_letter") == 1


def test_a_database_that_is_away_is_waited_for(connect: Connect, listening: Database, hearer: Owner) -> None:
    """F12: nothing is acknowledged, buried or given back meanwhile; then everything takes effect once."""
    transport = connect()
    facts = make_facts(30)
    first, others = message_of(facts[0]), [message_of(fact) for fact in facts[1:]]
    tried = threading.Event()

    def objection(_tx: object, events: Settled) -> None:
        if len(events) > 1:
            tried.set()

    with running(consuming(transport, listening, hearing_unless(objection))):
        send(transport, first)
        until_heard(listening, facts[:1])
        until_empty(transport)
        with hearer.away():
            send(connect(), *others)
            until(lambda: transport.stats(INBOX).unacked in {29, None}, timeout=10, missing="a batch in hand")
            assert not tried.wait(1.5)
            assert transport.stats(INBOX).ready == 0
        until_heard(listening, facts)
        until_empty(transport)

    assert (tried.is_set(), hearer.count("dead_letter")) == (True, 0)


@pytest.mark.parametrize("batch", [500, 5])
def test_a_database_that_goes_away_in_the_middle_of_a_batch(
    connect: Connect, listening: Database, hearer: Owner, batch: int
) -> None:
    """F12: what was half done is undone by the database, and done again, if another batch is in hand or not."""
    cuts = [1]

    def objection(tx: Session, _events: Settled) -> None:
        if cuts:
            cuts.pop()
            hearer.cut(tx.scalar(text("SELECT pg_backend_pid()")))

    transport = connect()
    facts = make_facts(20)
    with running(consuming(transport, listening, hearing_unless(objection, batch=batch))):
        send(connect(), *(message_of(fact) for fact in facts))
        until_heard(listening, facts)
        until_empty(transport)

    assert (cuts, hearer.count("dead_letter")) == ([], 0)


def test_a_pausing_consumer_stops_when_told(connect: Connect, listening: Database, hearer: Owner) -> None:
    """Its batch goes back to the queue, for whoever comes after."""
    transport = connect()
    facts = make_facts(5)
    with hearer.away(), running(consuming(transport, listening, hearing())):
        send(connect(), *(message_of(fact) for fact in facts))
        until(lambda: transport.stats(INBOX).ready == 0, timeout=10, missing="a batch in hand")

    until(lambda: transport.stats(INBOX).ready == 5, timeout=10, missing="the batch back in the queue")
    assert hearer.count("heard") == 0
    with running(consuming(transport, listening, hearing())):
        until_heard(listening, facts)


def test_what_was_handed_out_before_is_taken_one_by_one(connect: Connect, listening: Database) -> None:
    """Whoever had it may have died of one letter, and must not die again with all of them in hand."""
    transport = connect()
    facts = make_facts(5)
    send(connect(), *(message_of(fact) for fact in facts))
    lost = transport.subscribe(INBOX, batch=10)
    receive(lost, 5)
    lost.close()
    sizes: list[int] = []

    def objection(_tx: object, events: Settled) -> None:
        sizes.append(len(events))

    with running(consuming(transport, listening, hearing_unless(objection))):
        until_heard(listening, facts)
        until_empty(transport)

    assert sizes == [1] * 5


def test_a_bug_does_not_stop_the_consumer(connect: Connect, listening: Database, hearer: Owner) -> None:
    """The next message is handled; the one with the bug is kept."""
    facts = make_facts(2)

    def objection(_tx: object, events: Settled) -> None:
        if facts[0] in events:
            raise RuntimeError("a bug")

    transport = connect()
    with running(consuming(transport, listening, hearing_unless(objection))):
        send(connect(), message_of(facts[0]))
        until(lambda: hearer.count("dead_letter") == 1, timeout=20, missing="the dead letter")
        send(connect(), message_of(facts[1]))
        until_heard(listening, facts[1:])
        until_empty(transport)


@pytest.fixture
def broker(server: Server) -> Owner:
    return Owner(server, "bus")


@pytest.mark.parametrize("connect", ["postgres"], indirect=True)
def test_a_consumer_subscribes_again_when_its_broker_was_away(
    connect: Connect, listening: Database, hearer: Owner, broker: Owner
) -> None:
    """The embedded broker's connections are cut, twice; RabbitMQ's own tests kill the node."""
    transport, sender = connect(), connect()
    assert isinstance(transport, PostgresTransport)
    facts = make_facts(6)
    with running(consuming(transport, listening, hearing())):
        for pair in (facts[:2], facts[2:4], facts[4:]):
            until(broker.leader, timeout=10, missing="a subscription")
            broker.cut()
            publish_all(sender, [letter_of(message_of(fact)) for fact in pair])
        until_heard(listening, facts)

    assert hearer.count("dead_letter") == 0


def consumed(database: Database, handing: Handing, subscriptions: Subscriptions) -> None:
    """Consume until there is nothing more to hand out."""
    Consumer(handing, Inbox(database, subscriptions)).run(handing.over)


class TestLinger:
    def test_at_low_load_nobody_waits_for_more(self, listening: Database) -> None:
        """One fact at a time is handled at once, each as quickly as the last."""
        messages = [message_of(fact) for fact in make_facts(4)]
        handing = Handing(*([message] for message in messages))

        consumed(listening, handing, hearing(batch=50))

        assert handing.timeouts == [FETCH_SECONDS] * 5
        assert handing.acked == messages

    def test_under_load_a_batch_is_filled(self, listening: Database) -> None:
        """After a batch that was filled to a tenth the next waits a moment, and only then; nor longer beside it."""
        messages = [message_of(fact) for fact in make_facts(9)]
        handing = Handing(messages[:5], messages[5:7], messages[7:8], messages[8:])

        with counted(listening.engine) as seen:
            consumed(listening, handing, hearing(batch=50))

        assert handing.timeouts == [FETCH_SECONDS, LINGER_SECONDS, LINGER_SECONDS, FETCH_SECONDS, FETCH_SECONDS]
        assert len([each for each in seen if "INSERT INTO inbox" in each]) == 3
        assert handing.acked == messages


def waiting(transport: Transport) -> tuple[int, int]:
    """Count the letters that are ready, and the consumers."""
    stats = transport.stats(INBOX)
    return stats.ready, stats.consumers


@pytest.mark.parametrize("batch", [500, 2])
def test_letters_of_a_database_that_stays_away_go_back(
    connect: Connect, listening: Database, hearer: Owner, batch: int
) -> None:
    """F12: nobody holds them past the broker's patience; when the database answers they are asked for again."""
    transport = connect()
    facts = make_facts(5)
    consumer = Consumer(transport, Inbox(listening, hearing(batch=batch)), patience_seconds=0.3)
    with running(consumer.run):
        until(lambda: transport.stats(INBOX).consumers == 1, timeout=10, missing="the consumer")
        with hearer.away():
            send(connect(), *(message_of(fact) for fact in facts))
            until(
                lambda: waiting(transport) == (5, 0),
                timeout=20,
                missing="the letters back, and no consumer",
            )
        until_heard(listening, facts)
        until_empty(transport)

    assert (hearer.count("dead_letter"), hearer.count("suspect")) == (0, 0)


def test_a_queue_that_is_not_there_is_asked_for_again(listening: Database) -> None:
    """F14: loudly, and until somebody has defined it."""
    message = message_of(make_settled())
    handing = Handing(TopologyMissing("no queue"), TransportDown("gone"), [message])

    consumed(listening, handing, hearing())

    assert handing.acked == [message]


def test_one_that_is_told_to_stop_leaves_the_rest_of_a_careful_batch(listening: Database) -> None:
    """F21: each of them is a transaction of its own; what has none goes back unacknowledged."""
    messages = [replace(message_of(fact), redelivered=True) for fact in make_facts(5)]
    handing = Handing(messages)

    def objection(_tx: object, _events: Settled) -> None:
        handing.over.set()

    consumed(listening, handing, hearing_unless(objection))

    assert handing.acked == []
    with listening.transaction() as tx:
        assert len(heard(tx)) == 1
