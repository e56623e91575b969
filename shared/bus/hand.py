"""Batches in hand: one is prepared here while the database works on another."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from threading import Thread

from shared.bus.transport import Delivery, Subscription

Settle = Callable[[Sequence[Delivery]], bool]


class Hand:
    """Batches that are settled beside each other, each in a thread of its own.

    They are acknowledged by whoever calls, in the order in which they came: a broker may take a letter's
    acknowledgement for that of all before it.
    """

    def __init__(self, subscription: Subscription, settle: Settle, *, most: int) -> None:
        """Hold at most so many batches of `subscription`; `settle` says whether a batch may be acknowledged."""
        self._subscription = subscription
        self._settle = settle
        self._most = most
        self._batches: deque[tuple[Sequence[Delivery], Future[bool]]] = deque()

    def __len__(self) -> int:
        """Return how many batches are in hand."""
        return len(self._batches)

    def take(self, deliveries: Sequence[Delivery]) -> bool:
        """Begin to settle a batch, and wait for the oldest if there is no place for another one then; see `finish`."""
        self._batches.append((deliveries, _begin(lambda: self._settle(deliveries))))
        return self.finish(leave=self._most - 1)

    def settle_alone(self, deliveries: Sequence[Delivery]) -> bool:
        """Settle a batch here, when nothing else is in hand any more; see `finish`."""
        if not self.finish() or not self._settle(deliveries):
            return False
        self._subscription.ack(deliveries)
        return True

    def finish(self, *, leave: int = 0) -> bool:
        """Wait until no more than `leave` batches are in hand, the oldest first, and acknowledge each.

        False once one may not be acknowledged, and then none behind it may. Raises what settling has raised, and
        TransportDown; the batch then counts as finished: its letters come again.
        """
        while len(self._batches) > leave:
            deliveries, settled = self._batches.popleft()
            if not settled.result():
                return False
            self._subscription.ack(deliveries)
        return True

    def close(self) -> None:
        """Wait for what is in hand; without an acknowledgement it comes again. Raises what settling has raised."""
        wait([settled for _, settled in self._batches])
        for _, settled in self._batches:
            settled.result()


def _begin(work: Callable[[], bool]) -> Future[bool]:
    """Do some work in a thread that does not outlive the process."""
    done: Future[bool] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  Raised where the result is asked for, whatever it is.
            done.set_exception(error)

    Thread(target=run, name="popcandy-settle", daemon=True).start()
    return done
