"""A consumer's work cut into turns: the product's own loop, run in the caller's thread until there is nothing to do."""

from collections.abc import Sequence
from threading import Event as Flag

from shared.bus.consumer import Consumer
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing.wrapped import Wrapped
from shared.bus.transport import Delivery, Subscription, TopologyMissing, Transport, TransportDown
from shared.database.sessions import Database


class Turns:
    """One service's consumer. It keeps its subscription between turns, as it would while running."""

    def __init__(
        self, database: Database, subscriptions: Subscriptions, transport: Transport, *, wait_seconds: float
    ) -> None:
        """Consume for a service; a turn ends when `wait_seconds` pass without a letter."""
        self.queue = subscriptions.queue
        self.inbox = Inbox(database, subscriptions)
        self._transport = transport
        self._wait_seconds = wait_seconds
        self._end: _QueueEnd | None = None

    def take(self, *, most_batches: int) -> int:
        """Work until the queue gives nothing or so many batches are settled; return how many letters were.

        Raises TransportDown, TopologyMissing; whatever comes out of a handler that the consumer lets through.
        """
        if self._end is None:
            self._end = _QueueEnd(self._transport, self._wait_seconds)
        end = self._end
        end.start(most_batches)
        Consumer(end, self.inbox, patience_seconds=0, batches_at_once=1).run(end.stop)
        if end.failed is not None:
            raise end.failed
        return end.settled

    def interrupt(self) -> None:
        """Have the present turn give up at once when its database fails, instead of waiting a moment."""
        if self._end is not None:
            self._end.stop.set()

    def end_life(self) -> None:
        """Be a new process from now on: letters in hand go back to their queue, nothing is remembered."""
        self.close()
        self.inbox = Inbox(self.inbox.database, self.inbox.subscriptions)

    def close(self) -> None:
        """Stop consuming."""
        if self._end is not None:
            self._end.let_go()
            self._end = None


class _QueueEnd(Wrapped):
    """A transport that hands out one lasting subscription, itself, and tells its consumer when to stop."""

    def __init__(self, transport: Transport, wait_seconds: float) -> None:
        super().__init__(transport)
        self.stop = Flag()
        self.settled = 0
        self.failed: TransportDown | TopologyMissing | None = None
        self._wait_seconds = wait_seconds
        self._batches_left = 0
        self._in_hand = 0
        self._subscription: Subscription | None = None

    def start(self, batches: int) -> None:
        """Begin a turn."""
        self.stop.clear()
        self.settled, self.failed, self._batches_left = 0, None, batches

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        if self._subscription is None:
            self._subscription = self.transport.subscribe(queue, batch=batch)
        return self

    def fetch(self, *, timeout: float) -> list[Delivery]:
        assert self._subscription is not None  # noqa: S101  A consumer subscribes first.
        try:
            deliveries = self._subscription.fetch(timeout=min(timeout, self._wait_seconds))
        except (TransportDown, TopologyMissing) as error:
            self._fail(error)
            raise
        self._in_hand += len(deliveries)
        if not self._in_hand:
            self.stop.set()
        return deliveries

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        assert self._subscription is not None  # noqa: S101  As above.
        try:
            self._subscription.ack(deliveries)
        except TransportDown as error:
            self._fail(error)
            raise
        self.settled += self._in_hand
        self._in_hand = 0
        self._batches_left -= bool(deliveries)
        if self._batches_left <= 0:
            self.stop.set()

    def close(self) -> None:
        """Keep the subscription for the next turn, unless its consumer gave up with letters in hand."""
        if self._in_hand:
            self.let_go()
            self.stop.set()

    def let_go(self) -> None:
        """Drop the subscription; what it has in hand goes back."""
        self._in_hand = 0
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def _fail(self, error: TransportDown | TopologyMissing) -> None:
        self.failed = error
        self._in_hand = 0
        self.stop.set()
