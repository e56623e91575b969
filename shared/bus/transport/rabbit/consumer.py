"""Consuming in batches: the I/O thread fills a buffer, the handler's thread empties it (PITFALLS K1, K4, K5, K6)."""

import contextlib
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from shared.bus.transport import Delivery, TransportDown
from shared.bus.transport.rabbit.connection import FromPika, Hosts, Wire


class _Receipt(NamedTuple):
    """A delivery tag means something only on the connection that it came by."""

    wire: Wire
    tag: int


class _Buffer:
    """What one connection delivered; None at its end wakes who waits for more."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self.letters: SimpleQueue[Delivery | None] = SimpleQueue()

    def on_message(self, _channel: object, method: FromPika, properties: FromPika, body: bytes) -> None:
        """Keep one letter, on the I/O thread."""
        assert self.wire is not None  # noqa: S101  Nothing arrives before `prepare`, which sets it.
        self.letters.put(
            Delivery(
                headers=_headers(properties.headers),
                body=body,
                routing_key=_text(method.routing_key),
                redelivered=method.redelivered,
                receipt=_Receipt(self.wire, method.delivery_tag),
            )
        )

    def end(self, wire: Wire) -> None:
        """Wake the reader: no more will come."""
        if wire is self.wire:
            self.letters.put(None)

    def take(self, most: int, *, timeout: float) -> list[Delivery]:
        """Wait for one letter, then take what else is there."""
        batch: list[Delivery] = []
        with contextlib.suppress(Empty):
            letter = self.letters.get(timeout=max(timeout, 0))
            while letter is not None:
                batch.append(letter)
                letter = self.letters.get_nowait() if len(batch) < most else None
        return batch


class RabbitSubscription:
    """One consumer of one queue, with a connection of its own."""

    def __init__(self, hosts: Hosts, queue: str, *, batch: int) -> None:
        self._hosts = hosts
        self._queue = queue
        self._batch = batch
        self._wire: Wire | None = None
        self._buffer = _Buffer()
        self._closed = False

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Return up to a batch as soon as one letter is there, or nothing after `timeout` seconds.

        Raises TransportDown once when the connection or the consumer ended; the next call connects and consumes again,
        for which it may take up to five seconds. Raises TopologyMissing, Forbidden as long as the broker refuses that.
        """
        deadline = time.monotonic() + timeout
        wire = self._consuming()
        batch = self._buffer.take(self._batch, timeout=deadline - time.monotonic())
        if wire.lost is not None:
            self._wire = None  # What was taken comes again: nobody could acknowledge it any more.
            wire.require()
        return batch

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle letters and all that were fetched before them; those of an earlier connection are dropped."""
        wire = self._wire
        tags = [d.receipt.tag for d in deliveries if isinstance(d.receipt, _Receipt) and d.receipt.wire is wire]
        if wire is not None and tags:
            wire.call(_acknowledgement(wire, max(tags)))

    def close(self) -> None:
        """Stop consuming, after the acknowledgements given so far; what has none goes back to the queue."""
        self._closed = True
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _consuming(self) -> Wire:
        if self._closed:
            raise TransportDown("the subscription is closed")
        if self._wire is None:
            self._buffer = _Buffer()
            self._wire = self._hosts.connect(prepare=self._prepare, on_lost=self._buffer.end)
        return self._wire

    def _prepare(self, wire: Wire) -> None:
        """Consume; a consumer may hold two batches, and a third is on its way, so that it waits when one is done."""
        self._buffer.wire = wire
        channel = wire.channel
        channel.add_on_cancel_callback(lambda _frame: wire.fail(ConnectionAbortedError(f"{self._queue} was cancelled")))
        channel.basic_qos(prefetch_count=3 * self._batch)
        channel.basic_consume(self._queue, self._buffer.on_message, callback=lambda _frame: wire.opened())


def _acknowledgement(wire: Wire, tag: int) -> Callable[[], None]:
    def acknowledge() -> None:
        if wire.lost is None and wire.channel.is_open:
            wire.channel.basic_ack(tag, multiple=True)

    return acknowledge


def _headers(headers: dict[str, object] | None) -> dict[str, str]:
    """Take any AMQP header table as text: whoever may publish may publish garbage."""
    return {_text(name): _text(value) for name, value in (headers or {}).items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
