"""A broker in memory: the promises of the real ones without their servers, at once and in the same way each time."""

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple
from uuid import UUID
from weakref import WeakSet

from shared.bus.topology import FOREIGN_QUEUE, Topology
from shared.bus.transport import Delivery, Letter, Outcome, QueueStats, TopologyMissing, TransportDown, fit_and_unfit


@dataclass(slots=True)
class _Stored:
    position: int
    letter: Letter
    times_taken: int = 0


class _Queue:
    """One queue: what is ready, in order, what its one active consumer has in hand, and who waits to follow it."""

    def __init__(self) -> None:
        self.ready: deque[_Stored] = deque()
        self.taken: dict[int, _Stored] = {}
        self.active: MemorySubscription | None = None

    def take(self, most: int) -> list[_Stored]:
        stored = [self.ready.popleft() for _ in range(min(most, len(self.ready)))]
        for one in stored:
            one.times_taken += 1
            self.taken[one.position] = one
        return stored

    def settle(self, positions: Iterable[int]) -> None:
        for position in positions:
            self.taken.pop(position, None)

    def release(self) -> None:
        """Put back what is in hand, before all that is ready, in its old order."""
        self.ready.extendleft(self.taken[position] for position in sorted(self.taken, reverse=True))
        self.taken.clear()
        self.active = None


class MemoryBroker:
    """The queues that several transports may reach. It has no disk: a restart of the process is its end."""

    def __init__(self, topology: Topology) -> None:
        """Have the topology's queues, with those for what nobody is bound to."""
        self.changed = threading.Condition()
        self._unrouted = topology.unrouted
        services = (pattern.removesuffix(".#") for pattern in topology.unrouted)
        known = (queue for service in services for queue in Topology.queues_of(service))
        self._queues = {queue: _Queue() for queue in (*topology.bindings, *known, FOREIGN_QUEUE)}
        self._bound: dict[str, list[str]] = {}
        self._positions = count(1)
        for queue, keys in topology.bindings.items():
            for key in keys:
                self._bound.setdefault(key, []).append(queue)

    def store(self, letters: Sequence[Letter]) -> None:
        """Keep letters in every bound queue, or as unrouted."""
        with self.changed:
            for letter in letters:
                kept = replace(letter, headers=dict(letter.headers))
                for queue in self._bound.get(letter.routing_key) or [self._unheard(letter.routing_key)]:
                    self._queues[queue].ready.append(_Stored(next(self._positions), kept))
            self.changed.notify_all()

    def _unheard(self, routing_key: str) -> str:
        return self._unrouted.get(f"{routing_key.partition('.')[0]}.#", FOREIGN_QUEUE)

    def queue(self, name: str) -> _Queue:
        """Return a queue. Raises TopologyMissing."""
        if name not in self._queues:
            raise TopologyMissing(f"the broker in memory has no queue {name}: `./popcandy up` defines it elsewhere")
        return self._queues[name]


class MemoryTransport:
    """The broker in memory as a transport; it implements `Transport`, for tests that want speed and no surprises."""

    def __init__(self, place: Topology | MemoryBroker) -> None:
        """Make a broker with a topology, or reach one that is there, such as another transport's `broker`."""
        self.broker = place if isinstance(place, MemoryBroker) else MemoryBroker(place)
        self._subscriptions: WeakSet[MemorySubscription] = WeakSet()
        self._closed = False

    @property
    def blocked(self) -> None:
        """Say nothing: memory takes letters."""
        return

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Store the fit letters; see `Transport.publish`."""
        self._require_open()
        fit, unfit = fit_and_unfit(letters)
        self.broker.store(fit)
        return unfit | {letter.id: Outcome.CONFIRMED for letter in fit}

    def subscribe(self, queue: str, *, batch: int) -> "MemorySubscription":
        """Consume a queue; see `Transport.subscribe`."""
        subscription = MemorySubscription(self.broker, queue, batch)
        self._subscriptions.add(subscription)
        return subscription

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless each queue exists."""
        self._require_open()
        for queue in queues:
            self.broker.queue(queue)

    def stats(self, queue: str) -> QueueStats:
        """Count a queue exactly. Raises TopologyMissing, TransportDown once this is closed."""
        self._require_open()
        with self.broker.changed:
            found = self.broker.queue(queue)
            return QueueStats(len(found.ready), len(found.taken), 0 if found.active is None else 1)

    def close(self) -> None:
        """Give back what this transport's subscriptions have in hand, and refuse from now on."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()

    def _require_open(self) -> None:
        if self._closed:
            raise TransportDown("the transport is closed")


class _Receipt(NamedTuple):
    subscription: "MemorySubscription"
    position: int


class MemorySubscription:
    """One consumer of one queue; it implements `Subscription`."""

    def __init__(self, broker: MemoryBroker, queue: str, batch: int) -> None:
        """Prepare to consume; the first `fetch` does, once no other subscription is active."""
        self._broker = broker
        self._name = queue
        self._batch = batch
        self._queue = _Queue()  # Until the first `fetch` finds it.
        self._closed = False

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Wait for letters; see `Subscription.fetch`. Raises TransportDown once this is closed."""
        deadline = time.monotonic() + timeout
        with self._broker.changed:
            while True:
                taken = self._take()
                left = deadline - time.monotonic()
                if taken or left <= 0:
                    return taken
                self._broker.changed.wait(left)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle letters that this subscription was handed; all others are dropped."""
        receipts = [d.receipt for d in deliveries if isinstance(d.receipt, _Receipt)]
        with self._broker.changed:
            if not self._closed:
                self._queue.settle(receipt.position for receipt in receipts if receipt.subscription is self)

    def close(self) -> None:
        """Stop consuming and give back what is not settled; the next subscription becomes active."""
        with self._broker.changed:
            self._closed = True
            if self._queue.active is self:
                self._queue.release()
                self._broker.changed.notify_all()

    def _take(self) -> list[Delivery]:
        if self._closed:
            raise TransportDown("the subscription is closed")
        self._queue = self._broker.queue(self._name)
        if self._queue.active is None:
            self._queue.active = self
        return [self._delivery(one) for one in self._queue.take(self._batch)] if self._queue.active is self else []

    def _delivery(self, stored: _Stored) -> Delivery:
        letter = stored.letter
        receipt = _Receipt(self, stored.position)
        return Delivery(letter.headers, letter.body, letter.routing_key, stored.times_taken > 1, receipt)
