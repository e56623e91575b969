"""RabbitMQ killed, restarted and short of memory, under a transport that is in use."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from shared.bus.transport import Letter, Outcome, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from tests.servers.rabbitmq import new_vhost, own_node
from tests.servers.rabbitmq_node import RabbitNode
from tests.shared.bus.transport.letters import (
    CONFIRMED,
    INBOX,
    drain,
    ids,
    make_letter,
    make_letters,
    publish_all,
    receive,
)
from tests.waiting import until


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """Start a node that this module may kill."""
    with contextlib.ExitStack() as stack:
        one = own_node(tmp_path_factory.mktemp("rabbitmq"))
        stack.callback(one.stop)
        yield one


@pytest.fixture
def url(node: RabbitNode) -> str:
    return new_vhost(node)


@pytest.fixture
def transport(url: str) -> Iterator[RabbitTransport]:
    with contextlib.closing(RabbitTransport(url)) as one:
        yield one


def outcomes_of(transport: RabbitTransport, letters: list[Letter]) -> dict[UUID, Outcome]:
    try:
        return transport.publish(letters)
    except TransportDown:
        return {}


def test_a_broker_killed_while_publishing_loses_nothing(node: RabbitNode, transport: RabbitTransport, url: str) -> None:
    """What was confirmed is there; what was not is published again; each letter arrives, in a batch that was cut."""
    letters = make_letters(60_000)
    with contextlib.closing(RabbitTransport(url)) as watcher, ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(outcomes_of, transport, letters)
        until(lambda: watcher.stats(INBOX).ready > 500, timeout=20, missing="the first letters")
        node.kill()
        outcomes = publishing.result(timeout=30)
    node.restart()

    assert len(outcomes) < len(letters), "the broker was killed too late to prove anything"
    publish_all(transport, [letter for letter in letters if letter.id not in outcomes])

    arrived: set[UUID] = set()
    inbox = transport.subscribe(INBOX, batch=1_000)
    while len(arrived) < len(letters):
        arrived |= set(ids(drain(inbox, 1)))
    assert arrived == {letter.id for letter in letters}


def test_a_consumer_is_told_once_and_goes_on(node: RabbitNode, transport: RabbitTransport) -> None:
    """A restarted broker gives back what was not acknowledged; an old receipt settles nothing."""
    letters = make_letters(3)
    transport.publish(letters)
    inbox = transport.subscribe(INBOX, batch=10)
    stale = receive(inbox, 3)

    node.restart()

    with pytest.raises(TransportDown):
        inbox.fetch(timeout=30)
    again = receive(inbox, 3)
    inbox.ack(stale)
    assert ids(again) == [letter.id for letter in letters]
    assert all(delivery.redelivered for delivery in again)
    inbox.close()
    assert ids(receive(transport.subscribe(INBOX, batch=10), 3)) == ids(stale)


def test_a_broker_that_is_away_is_down_for_every_call(node: RabbitNode, transport: RabbitTransport) -> None:
    """And everything works again without anybody's help when it is back."""
    inbox = transport.subscribe(INBOX, batch=10)
    letter = make_letter()
    transport.check([INBOX])
    transport.publish([letter])
    receive(inbox, 1)

    node.kill()

    for _ in range(2):
        with pytest.raises(TransportDown):
            transport.publish([make_letter()])
        with pytest.raises(TransportDown):
            inbox.fetch(timeout=10)
        with pytest.raises(TransportDown):
            transport.stats(INBOX)
    node.restart()
    transport.check([INBOX])
    assert ids(receive(inbox, 1)) == [letter.id]


def test_a_broker_short_of_memory_blocks_for_a_limited_time(node: RabbitNode, url: str) -> None:
    """Publishing gives up within its limit and succeeds later; consuming goes on meanwhile."""
    with contextlib.closing(RabbitTransport(f"{url}?blocked_connection_timeout=1")) as transport:
        before, blocked = make_letter(), make_letter()
        transport.publish([before])
        node.control("set_vm_memory_high_watermark", "absolute", "1MB")

        with pytest.raises(TransportDown, match="Blocked"):
            transport.publish([blocked])
        inbox = transport.subscribe(INBOX, batch=10)
        assert ids(drain(inbox, 1))[:1] == [before.id]

        node.control("set_vm_memory_high_watermark", "absolute", "1GB")
        publish_all(transport, [blocked])
        assert blocked.id in ids(receive(inbox, 1))
        assert transport.publish([after := make_letter()]) == {after.id: CONFIRMED}
