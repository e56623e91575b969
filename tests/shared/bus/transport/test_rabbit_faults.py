"""RabbitMQ killed, restarted and short of memory, under a transport that is in use."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from shared.bus.transport import Blocked, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from tests.servers.rabbitmq import new_vhost
from tests.servers.rabbitmq_node import RabbitNode
from tests.shared.bus.transport.letters import (
    CONFIRMED,
    INBOX,
    drain,
    ids,
    make_letter,
    make_letters,
    outcomes_of,
    publish_all,
    receive,
)
from tests.waiting import until


@pytest.fixture
def url(node: RabbitNode) -> str:
    return new_vhost(node)


@pytest.fixture
def transport(url: str) -> Iterator[RabbitTransport]:
    with contextlib.closing(RabbitTransport(url)) as one:
        yield one


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


@contextlib.contextmanager
def memory_alarm(node: RabbitNode) -> Iterator[None]:
    node.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        yield
    finally:
        node.control("set_vm_memory_high_watermark", "absolute", "1GB")


def test_a_broker_short_of_memory_blocks_publishing_alone(node: RabbitNode, transport: RabbitTransport) -> None:
    """It is said at once, each time, and seen; consuming and counting go on; the end of it is noticed unasked."""
    before, blocked = make_letters(3), make_letters(5_000)
    assert outcomes_of(transport, before) == {letter.id: CONFIRMED for letter in before}
    inbox = transport.subscribe(INBOX, batch=10)
    with memory_alarm(node):
        known = outcomes_of(transport, blocked)
        assert len(known) < len(blocked)
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(Blocked, match="low on memory"):
                transport.publish(blocked)
            assert time.monotonic() - began < 0.5
        assert transport.blocked == "low on memory"

        assert ids(drain(inbox, 3))[:3] == [letter.id for letter in before]
        assert transport.stats(INBOX).consumers == 1

    until(lambda: transport.blocked is None, timeout=10, missing="the broker's word that it takes letters again")
    publish_all(transport, [letter for letter in blocked if letter.id not in known])
    arrived: set[UUID] = set(known)
    while len(arrived) < len(blocked):
        arrived |= set(ids(drain(inbox, 1)))
    assert arrived == {letter.id for letter in blocked}


def test_an_alarm_outlives_heartbeats_and_the_connection_outlives_the_alarm(node: RabbitNode, url: str) -> None:
    """Whoever connected anew would send the same letters again, into every new connection."""
    letters = make_letters(3_000)  # More than the broker's socket takes while nobody reads it.
    with contextlib.closing(RabbitTransport(f"{url}?heartbeat=1")) as transport, capture_logs() as lines:
        transport.publish([make_letter()])
        silent = transport.subscribe("ledger.inbox.dead", batch=1)
        with memory_alarm(node):
            known = outcomes_of(transport, letters)
            assert silent.fetch(timeout=13) == []
            with pytest.raises(Blocked):
                transport.publish(letters)
        until(lambda: transport.blocked is None, timeout=10, missing="the broker's word that it takes letters again")
        publish_all(transport, [letter for letter in letters if letter.id not in known])

    assert [line["event"] for line in lines].count("broker.connected") == 2, "one publishes, one consumes"


def test_a_connection_made_during_an_alarm_is_blocked_too(node: RabbitNode, transport: RabbitTransport) -> None:
    """A restarted relay hears of it with the first letter that it sends."""

    def is_blocked() -> bool:
        try:
            transport.publish([make_letter()])
        except Blocked:
            return True
        return False

    with memory_alarm(node):
        until(is_blocked, timeout=10, missing="the broker's word that it is short of memory")
    until(lambda: transport.blocked is None, timeout=10, missing="the broker's word that it takes letters again")


def test_a_consumer_that_takes_too_long_is_told_and_gets_its_letters_again(
    node: RabbitNode, transport: RabbitTransport
) -> None:
    """RabbitMQ takes back what was not settled for `consumer_timeout`, as when a handler hangs."""
    node.control("eval", "[application:set_env(rabbit, K, 1000) || K <- [consumer_timeout, channel_tick_interval]].")
    letters = make_letters(2)
    transport.publish(letters)
    inbox = transport.subscribe(INBOX, batch=10)
    stale = receive(inbox, 2)

    with pytest.raises(TransportDown, match=r"timeout|timed out"):
        inbox.fetch(timeout=30)

    again = receive(inbox, 2)
    inbox.ack(stale)
    assert ids(again) == [letter.id for letter in letters]
    assert all(delivery.redelivered for delivery in again)
    node.control("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
