"""What has to be done now and then so that nothing stays where nobody looks.

Letters that the broker has set aside become dead letters of ours at once: looking at them in their queue would count
as delivering them (PITFALLS R2). Parked letters whose release was cut short go on. Old marks are forgotten where a
handler allows it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus import marks, parking, suspects
from shared.bus.burial import Cause, Origin, Reason, bury
from shared.bus.inbox import RELEASED_AT_ONCE, Inbox, address_of
from shared.bus.transport import Delivery, Subscription, TopologyMissing, Transport, TransportDown
from shared.database.faults import may_pass

ROUND_SECONDS = 1.0
BATCH = 200
RELEASE_SECONDS = 10.0  # Between two looks for letters whose release was cut short.
FORGET_SECONDS = 600.0  # Between two looks for old marks.
FORGET_AT_ONCE = 5_000

Trim = Callable[[Session], int]  # Removes some of what has had its time, a bounded number; returns how many.

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
    address = address_of(delivery, Origin.BROKER)
    bury(tx, delivery, Cause(Reason.GIVEN_UP, f"the broker gave it up: {why}"), address)
    suspects.clear(tx, [address.event_id] if address.event_id else [])  # It will not come again.


class Upkeep:
    """One service's chores, a round each second; a broker or a database that is away is waited for."""

    def __init__(self, inbox: Inbox, asides: Sequence[Aside], *, trims: Sequence[Trim] = ()) -> None:
        """Look after the inbox's database, bring the letters of `asides` into it, and trim its other tables."""
        self.inbox = inbox
        self.asides = asides
        self.trims = trims
        self._taking: dict[str, Subscription] = {}
        self._next: dict[str, float] = {}

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set."""
        try:
            while not stop.wait(ROUND_SECONDS):
                for aside in self.asides:
                    self._attempt(partial(self.drain, aside))
                self._attempt(self.release_orphaned, every=RELEASE_SECONDS)
                self._attempt(self.forget_old, every=FORGET_SECONDS)
        finally:
            for queue in list(self._taking):
                self._let_go(queue)

    def drain(self, aside: Aside) -> int:
        """Bring in one batch of what was set aside; return how many letters it was.

        If that fails, whatever the reason, the whole batch is given back: an acknowledgement settles all before it.
        """
        if aside.queue not in self._taking:
            self._taking[aside.queue] = aside.transport.subscribe(aside.queue, batch=BATCH)
        try:
            deliveries = self._taking[aside.queue].fetch(timeout=0)
            if deliveries:
                self._keep(aside, deliveries)
        except Exception:  # Raised on; whatever it was, the letters in hand must not be settled by a later answer.
            self._let_go(aside.queue)
            raise
        return len(deliveries)

    def release_orphaned(self) -> int:
        """Handle parked letters that wait behind nothing any more, a key at a time; return how many were handled."""
        handlers = [handler.name for handler in self.inbox.subscriptions.handlers if handler.ordered]
        with self.inbox.database.transaction() as tx:
            orphaned = parking.list_orphaned(tx, handlers=handlers, limit=BATCH) if handlers else []
        return sum(self._release(handler, key) for handler, key in orphaned)

    def forget_old(self) -> None:
        """Trim the marks of handlers that allow it, and what else has had its time, a part at a time."""
        for trim in self.trims:
            trimmed = True
            while trimmed:
                with self.inbox.database.transaction() as tx:
                    trimmed = trim(tx) > 0
        for handler in self.inbox.subscriptions.handlers:
            forgotten = FORGET_AT_ONCE
            while handler.forget_after is not None and forgotten == FORGET_AT_ONCE:
                with self.inbox.database.transaction() as tx:
                    forgotten = marks.forget(tx, handler, age=handler.forget_after, limit=FORGET_AT_ONCE)

    def _keep(self, aside: Aside, deliveries: Sequence[Delivery]) -> None:
        with self.inbox.database.transaction() as tx:
            for delivery in deliveries:
                aside.keep(tx, delivery)
        self._taking[aside.queue].ack(deliveries)
        log.error("upkeep.set_aside", queue=aside.queue, letters=len(deliveries))

    def _release(self, handler: str, key: str) -> int:
        """Handle all that waits for one key, a bounded transaction at a time."""
        released = 0
        while True:
            with self.inbox.database.transaction() as tx:
                handled = self.inbox.release(tx, handler, key)
            released += handled
            if handled < RELEASED_AT_ONCE:
                return released

    def _let_go(self, queue: str) -> None:
        self._taking.pop(queue).close()

    def _attempt(self, chore: Callable[[], object], *, every: float = 0.0) -> None:
        """Do a chore, unless it was done a moment ago; what hinders it now is tried again next time."""
        name = getattr(chore, "__name__", "drain")
        if every and time.monotonic() < self._next.get(name, 0.0):
            return
        try:
            chore()
            self._next[name] = time.monotonic() + every
        except (TransportDown, TopologyMissing) as error:
            log.warning("upkeep.broker_away", error=str(error))
        except SQLAlchemyError as error:
            if not may_pass(error):
                raise
            log.warning("upkeep.database_away", error=str(error))
