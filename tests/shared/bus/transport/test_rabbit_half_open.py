"""A cable that swallows everything and ends no connection: whoever waits must notice without being told.

With `heartbeat=1` pika looks every six seconds (its interval and five more) and gives up on a broker that was silent
for one such time: after twelve at the latest. The broker gives up on us after two or three seconds.
"""

import contextlib
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from shared.bus.transport import MAX_BODY_BYTES, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from tests.servers.proxy import Proxy, proxy_to
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

NOTICED_SECONDS = 12.5


@pytest.fixture
def cable(url: str) -> Iterator[Proxy]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with proxy_to(parts.hostname, parts.port) as proxy:
        yield proxy


@pytest.fixture
def far(cable: Proxy, url: str) -> Iterator[RabbitTransport]:
    """Connect through the cable."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    through = parts._replace(netloc=f"{user}@127.0.0.1:{cable.port}", query="heartbeat=1").geturl()
    with contextlib.closing(RabbitTransport(through)) as transport:
        yield transport


def test_a_publisher_notices_and_nothing_is_lost(far: RabbitTransport, rabbit: RabbitTransport, cable: Proxy) -> None:
    """F5: letters that arrived without their confirmation come twice, under the same id."""
    letters = make_letters(20_000)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(outcomes_of, far, letters)
        until(lambda: rabbit.stats(INBOX).ready > 500, timeout=20, missing="the first letters")
        cable.swallow()
        began = time.monotonic()
        outcomes = publishing.result(timeout=30)

    assert time.monotonic() - began < NOTICED_SECONDS
    assert len(outcomes) < len(letters), "the cable was cut too late to prove anything"
    cable.heal()
    publish_all(far, [letter for letter in letters if letter.id not in outcomes])
    arrived: set[UUID] = set()
    inbox = rabbit.subscribe(INBOX, batch=1_000)
    while len(arrived) < len(letters):
        arrived |= set(ids(drain(inbox, 1)))
    assert arrived == {letter.id for letter in letters}


def test_a_consumer_notices_and_acknowledges_nothing_stale(
    far: RabbitTransport, rabbit: RabbitTransport, cable: Proxy
) -> None:
    """F5: an acknowledgement that was swallowed settles nothing, and neither does one for the connection before."""
    letters = make_letters(3)
    rabbit.publish(letters)
    inbox = far.subscribe(INBOX, batch=10)
    stale = receive(inbox, 3)
    cable.swallow()
    inbox.ack(stale[:1])
    began = time.monotonic()

    with pytest.raises(TransportDown):
        inbox.fetch(timeout=30)

    assert time.monotonic() - began < NOTICED_SECONDS
    cable.heal()
    again = receive(inbox, 3)
    inbox.ack(stale)
    assert ids(again) == [letter.id for letter in letters]
    assert all(delivery.redelivered for delivery in again)
    inbox.close()
    assert ids(receive(rabbit.subscribe(INBOX, batch=10), 3)) == [letter.id for letter in letters]


def test_a_broker_that_does_not_read_does_not_fill_our_memory(far: RabbitTransport, cable: Proxy) -> None:
    """What is on its way is bounded in bytes as well as in letters: here 16 MiB of 80, and what pika makes of them."""
    body = b"x" * MAX_BODY_BYTES
    far.publish([make_letter()])
    cable.stop()
    tracemalloc.start()
    try:
        assert outcomes_of(far, [make_letter(body=body) for _ in range(80)]) == {}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 40 * MAX_BODY_BYTES


def test_eighty_of_the_largest_letters_arrive(rabbit: RabbitTransport) -> None:
    """A window that was full of bytes goes on when the first are confirmed."""
    body = b"x" * MAX_BODY_BYTES
    letters = [make_letter(body=body) for _ in range(80)]

    assert rabbit.publish(letters) == {letter.id: CONFIRMED for letter in letters}
    assert ids(drain(rabbit.subscribe(INBOX, batch=10), 80)) == [letter.id for letter in letters]
