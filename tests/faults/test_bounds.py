"""Limits that hold whatever waits: memory under a backlog, and dead letters that many eyes have looked at."""

from uuid import UUID

import pytest

from shared.bus.topology import dead_queue_of
from shared.bus.transport import Transport
from shared.bus.transport.rabbit import RabbitTransport
from tests.faults.conftest import Line
from tests.faults.facts import make_facts
from tests.servers.rabbitmq import Broker, own_vhost
from tests.shared.bus.transport.letters import make_letters, receive
from tests.waiting import until

BACKLOG = 40_000
BATCHES_MIB = 48  # A few batches of 2,000 rows in every form that they take on the way.


@pytest.mark.long
def test_memory_does_not_grow_with_the_backlog(line: Line, programme_id: UUID) -> None:
    """F25: a relay and a consumer hold a few batches, however many rows wait; all of it arrives."""
    facts = make_facts(BACKLOG, programme_id=programme_id)
    line.tell(facts)

    relay = line.relay()
    relay.until(lambda: line.outbox <= BACKLOG - 6_000, missing="the first batches on their way", timeout=120)
    early = relay.peak_mib
    relay.until(lambda: line.outbox == 0, missing="an empty outbox", timeout=120)
    assert relay.peak_mib - early < BATCHES_MIB
    relay.end()

    consumer = line.consumer()
    consumer.until(lambda: line.donations >= 4_000, missing="the first donations", timeout=120)
    early = consumer.peak_mib
    consumer.until(lambda: line.donations == BACKLOG, missing="all donations", timeout=200)
    assert consumer.peak_mib - early < BATCHES_MIB
    consumer.until(lambda: line.queue.ready == 0 and not line.queue.unacked, missing="an empty queue")
    consumer.end()

    line.require_exact(facts)


def look(transport: Transport, queue: str) -> int:
    """Look into a queue as a person with a broker's page does, and put everything back; return what was seen."""
    subscription = transport.subscribe(queue, batch=10)
    seen = len(receive(subscription, 1))
    subscription.close()
    return seen


@pytest.mark.rabbitmq
def test_looking_into_the_dead_queue_destroys_nothing(rabbitmq: Broker) -> None:
    """F19: fifty looks, each of which counts as a delivery, and the letters are still there."""
    dead = dead_queue_of("ledger")
    with own_vhost(rabbitmq) as url:
        transport = RabbitTransport(url)
        letters = make_letters(3)
        transport.publish(letters)
        for _ in range(30):  # The inbox's own limit is 20; the broker moves what passes it in its own time.
            inbox = transport.subscribe("ledger.inbox", batch=10)
            inbox.fetch(timeout=0.3)
            inbox.close()

        until(lambda: transport.stats(dead).ready == 3, timeout=30, missing="three letters that the broker gave up")
        assert all(look(transport, dead) for _ in range(50))
        assert len(receive(transport.subscribe(dead, batch=10), 3)) == 3
        transport.close()
