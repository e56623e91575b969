"""A broker that misbehaves as real ones may, often and reproducibly.

It breaks none of a transport's promises: what it confirms it has, what is not acknowledged comes again. So whatever
stands on a `Transport` has to come to the same end over this one.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from random import Random
from uuid import UUID

from shared.bus.testing.wrapped import Wrapped
from shared.bus.transport import Delivery, Letter, Outcome, Transport, TransportDown

LONGEST_DELAY = 3  # Fetches.

Stream = Callable[[Delivery], object]


class Fault(StrEnum):
    """What can go wrong on the way."""

    LOST = "lost"  # The connection ended before the broker had all the letters of a call.
    UNCONFIRMED = "unconfirmed"  # The connection ended when the broker had them all and had not said so.
    UNANSWERED = "unanswered"  # Of some it never said whether it has them; it may or may not.
    SENT_TWICE = "sent_twice"  # A letter is in the queue twice.
    CUT = "cut"  # The subscription's connection ended; what was in hand comes again.
    SHUFFLED = "shuffled"  # A batch came in another order.
    HELD_BACK = "held_back"  # A letter came some fetches later than its neighbours.
    HANDED_TWICE = "handed_twice"  # A letter came twice over one connection, marked as redelivered or not.


_ON_PUBLISH = (Fault.LOST, Fault.UNCONFIRMED, Fault.UNANSWERED)


def by_partition_key(delivery: Delivery) -> object:
    """Keep the order of letters that share a partition key, as a queue with one active consumer does."""
    return delivery.headers.get("ce-partitionkey")


def by_itself(_delivery: Delivery) -> object:
    """Keep no order at all, as of publishers that race or send again after a failure."""
    return object()


class FaultyTransport(Wrapped):
    """A transport that drops connections, and doubles, shuffles and holds back letters.

    `duplicate` and `delay` are shares of letters, `reorder` of batches, `drop` of calls, each from 0 to 1; they may be
    changed at any time. The same `random` and the same calls give the same faults; `happened` counts them.
    """

    def __init__(
        self,
        transport: Transport,
        random: Random,
        *,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        delay: float = 0.0,
        drop: float = 0.0,
        stream_of: Stream = by_partition_key,
    ) -> None:
        """Misbehave before `transport`; letters of one stream come in their order, repeats aside."""
        super().__init__(transport)
        self.random = random
        self.duplicate = duplicate
        self.reorder = reorder
        self.delay = delay
        self.drop = drop
        self.stream_of = stream_of
        self.happened: Counter[Fault] = Counter()
        self.numbers = count(1)

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters, unless the connection drops before, while or after; some of them twice."""
        if not letters or not self.strikes(self.drop):
            return self._send(letters)
        fault = self.random.choice(_ON_PUBLISH)
        self.happened[fault] += 1
        if fault is Fault.UNANSWERED and len(letters) > 1:
            return self._send_unanswered(letters)
        self._send(letters[: self.random.randrange(len(letters))] if fault is Fault.LOST else letters)
        raise TransportDown("the connection was dropped before the broker had confirmed everything")

    def subscribe(self, queue: str, *, batch: int) -> "FaultySubscription":
        """Consume a queue, with faults."""
        return FaultySubscription(self, queue, batch)

    def strikes(self, share: float) -> bool:
        """Decide whether something of this share happens now."""
        return share > 0 and self.random.random() < share

    def _send_unanswered(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send the first few or all, and answer for some of those, never for all."""
        sent = letters[: self.random.randint(1, len(letters))]
        outcomes = self._send(sent)
        known = self.random.sample(sent, self.random.randint(1, min(len(sent), len(letters) - 1)))
        return {letter.id: outcomes[letter.id] for letter in known if letter.id in outcomes}

    def _send(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        outcomes = self.transport.publish(letters) if letters else {}
        again = [letter for letter in letters if self.strikes(self.duplicate)]
        if again:
            self.happened[Fault.SENT_TWICE] += len(again)
            with suppress(TransportDown):  # Nobody asked for these.
                self.transport.publish(again)
        return outcomes


@dataclass(slots=True)
class _Waiting:
    """A letter on its way to the consumer, and how many fetches it still takes."""

    delivery: Delivery
    stream: object
    fetches: int


@dataclass(slots=True)
class _Open:
    """A letter that the broker handed out and that is not acknowledged there."""

    delivery: Delivery
    settled: bool = False


class FaultySubscription:
    """One consumer of one queue, over a connection that fails; it implements `Subscription`."""

    def __init__(self, faults: FaultyTransport, queue: str, batch: int) -> None:
        """Consume `queue` of the transport that `faults` stands before."""
        self._faults = faults
        self._queue = queue
        self._batch = batch
        self._inner = faults.transport.subscribe(queue, batch=batch)
        self._waiting: list[_Waiting] = []
        self._open: dict[int, _Open] = {}
        self._closed = False

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Return a batch in which letters may come late, twice or in another order; or drop the connection.

        Raises TransportDown.
        """
        self._perhaps_cut()
        for waiting in self._waiting:
            waiting.fetches -= 1
        due = sum(waiting.fetches <= 0 for waiting in self._waiting)
        if due < self._batch:
            self._take_in(timeout=0 if due else timeout)
        return self._hand_out()

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle letters, or drop the connection just before.

        A broker may be told "all up to this one", so it is told of a letter once all before it are settled too.
        """
        self._perhaps_cut()
        for delivery in deliveries:
            if isinstance(delivery.receipt, int) and delivery.receipt in self._open:
                self._open[delivery.receipt].settled = True
        settled = []
        while self._open and self._open[first := next(iter(self._open))].settled:
            settled.append(self._open.pop(first).delivery)
        if settled:
            self._inner.ack(settled)

    def close(self) -> None:
        """Stop consuming; what is not acknowledged goes back, letters that are held back among it."""
        self._closed = True
        self._forget()
        self._inner.close()

    def _perhaps_cut(self) -> None:
        if self._closed or not self._faults.strikes(self._faults.drop):
            return
        self._faults.happened[Fault.CUT] += 1
        self._forget()
        self._inner.close()
        self._inner = self._faults.transport.subscribe(self._queue, batch=self._batch)
        raise TransportDown("the subscription's connection was dropped")

    def _forget(self) -> None:
        self._waiting.clear()
        self._open.clear()

    def _take_in(self, *, timeout: float) -> None:
        """Fetch for real, and decide what becomes of each letter."""
        try:
            fresh = self._inner.fetch(timeout=timeout)
        except TransportDown:
            self._forget()
            raise
        for delivery in fresh:
            number = next(self._faults.numbers)
            self._open[number] = _Open(delivery)
            self._line_up(replace(delivery, receipt=number))
            if self._faults.strikes(self._faults.duplicate):
                self._faults.happened[Fault.HANDED_TWICE] += 1
                marked = self._faults.strikes(0.5)
                self._line_up(replace(delivery, receipt=None, redelivered=marked))

    def _line_up(self, delivery: Delivery) -> None:
        """Put a letter behind the others of its stream, some fetches away if it is held back."""
        fetches = 0
        if self._faults.strikes(self._faults.delay):
            self._faults.happened[Fault.HELD_BACK] += 1
            fetches = self._faults.random.randint(1, LONGEST_DELAY)
        stream = self._faults.stream_of(delivery)
        before = max((waiting.fetches for waiting in self._waiting if waiting.stream == stream), default=0)
        self._waiting.append(_Waiting(delivery, stream, max(fetches, before)))

    def _hand_out(self) -> list[Delivery]:
        due = [waiting for waiting in self._waiting if waiting.fetches <= 0][: self._batch]
        taken = {id(waiting) for waiting in due}
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in taken]
        if len(due) > 1 and self._faults.strikes(self._faults.reorder):
            self._faults.happened[Fault.SHUFFLED] += 1
            due = self._shuffled(due)
        return [waiting.delivery for waiting in due]

    def _shuffled(self, letters: Sequence[_Waiting]) -> list[_Waiting]:
        """Mix the streams and keep the order within each."""
        streams: dict[object, deque[_Waiting]] = {}
        for letter in letters:
            streams.setdefault(letter.stream, deque()).append(letter)
        order = [letter.stream for letter in letters]
        self._faults.random.shuffle(order)
        return [streams[stream].popleft() for stream in order]
