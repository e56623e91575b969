"""What has to be done now and then so that nothing stays where nobody looks.

Letters that the broker has set aside become dead letters of ours at once: looking at them in their queue would count
as delivering them (PITFALLS R2). Parked letters whose release was cut short go on. Old marks are forgotten where a
handler allows it.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus import marks, parking
from shared.bus.burial import Cause, Origin, Reason, bury
from shared.bus.inbox import Inbox, address_of
from shared.bus.transport import Delivery, Subscription, TopologyMissing, Transport, TransportDown
from shared.database.faults import is_transient

ROUND_SECONDS = 1.0
BATCH = 200
FORGET_SECONDS = 600.0  # Between two looks for old marks.
FORGET_AT_ONCE = 5_000

log = telemetry.get_logger()


@dataclass(frozen=True, slots=True)
class Aside:
    """A queue of letters that the broker has set aside, and how one of them is kept."""

    transport: Transport
    queue: str
    keep: Callable[[Session, Delivery], None]


def keep_unrouted(tx: Session, delivery: Delivery) -> None:
    """Bury a letter of ours that nobody is bound to."""
    cause = Cause(Reason.UNROUTED, f"nobody hears {delivery.routing_key}")
    bury(tx, delivery, cause, address_of(delivery, Origin.UNROUTED))


def keep_given_up(tx: Session, delivery: Delivery) -> None:
    """Bury a letter to us that the broker gave up on; which of those in hand was to blame, it does not know."""
    why = delivery.headers.get("x-first-death-reason", "unknown")
    bury(tx, delivery, Cause(Reason.GIVEN_UP, f"the broker gave it up: {why}"), address_of(delivery, Origin.BROKER))


class Upkeep:
    """One service's chores, a round each second; a broker or a database that is away is waited for."""

    def __init__(self, inbox: Inbox, asides: Sequence[Aside]) -> None:
        """Look after the inbox's database, and bring the letters of `asides` into it."""
        self.inbox = inbox
        self.asides = asides
        self._forget_at = 0.0

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set."""
        with ExitStack() as open_ones:
            taken = [
                (aside, open_ones.enter_context(closing(aside.transport.subscribe(aside.queue, batch=BATCH))))
                for aside in self.asides
            ]
            while not stop.wait(ROUND_SECONDS):
                for aside, subscription in taken:
                    self._attempt(partial(self.drain, aside, subscription))
                self._attempt(self.release_orphaned)
                self._attempt(self.forget_old)

    def drain(self, aside: Aside, subscription: Subscription) -> int:
        """Bring in one batch of what was set aside; return how many letters it was."""
        deliveries = subscription.fetch(timeout=0)
        if deliveries:
            with self.inbox.database.transaction() as tx:
                for delivery in deliveries:
                    aside.keep(tx, delivery)
            subscription.ack(deliveries)
            log.error("upkeep.set_aside", queue=aside.queue, letters=len(deliveries))
        return len(deliveries)

    def release_orphaned(self) -> int:
        """Handle parked letters that wait behind nothing any more; return how many were handled."""
        with self.inbox.database.transaction() as tx:
            return sum(self.inbox.release(tx, handler, key) for handler, key in parking.list_orphaned(tx, limit=BATCH))

    def forget_old(self) -> None:
        """Trim the marks of handlers that allow it, a part at a time."""
        if time.monotonic() < self._forget_at:
            return
        forgotten = 0
        for handler in self.inbox.subscriptions.handlers:
            if handler.forget_after is not None:
                with self.inbox.database.transaction() as tx:
                    forgotten += marks.forget(tx, handler, age=handler.forget_after, limit=FORGET_AT_ONCE)
        if forgotten < FORGET_AT_ONCE:
            self._forget_at = time.monotonic() + FORGET_SECONDS

    def _attempt(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except (TransportDown, TopologyMissing) as error:
            log.warning("upkeep.broker_away", error=str(error))
        except SQLAlchemyError as error:
            if not is_transient(error):
                raise
            log.warning("upkeep.database_away", error=str(error))
