"""How a batch of letters takes effect: each once, all that can, and none lost.

One transaction holds the inbox marks and the handler's work. When it fails the batch is halved until the culprit
stands alone; that one becomes a dead letter in the same transaction as its mark, and its neighbours go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.dead_letters import Cause, Reason, bury
from shared.bus.envelope import BrokenEnvelope, Envelope, open_envelope
from shared.bus.handlers import Handler, Subscriptions
from shared.bus.transport import Delivery
from shared.database.sessions import Database
from shared.errors import Refusal
from shared.events.base import Event, routing_key

TRIES = 3
TRANSIENT_STATES = {"40001", "40P01", "55P03", "57014"}  # Serialization, deadlock, lock time-out, cancelled.
TRANSIENT_CLASSES = {"08", "53", "57"}  # Connection, resources, operator intervention.

log = telemetry.get_logger()

_MARK = text("""
    INSERT INTO inbox (event_id, handler)
    SELECT unnest(CAST(:ids AS uuid[])), :handler ON CONFLICT DO NOTHING RETURNING event_id
""")


@dataclass(frozen=True, slots=True)
class Item:
    """One readable letter on its way to one handler."""

    envelope: Envelope
    event: Event
    delivery: Delivery


def is_transient(error: BaseException) -> bool:
    """Say whether the same batch may succeed later without anybody changing it: the database was away or busy."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or type(error).__name__ in {"OperationalError", "InterfaceError"}
    return state in TRANSIENT_STATES or state[:2] in TRANSIENT_CLASSES


class Inbox:
    """Settles deliveries for one service. After `settle` returns each is either in effect or a dead letter, durably."""

    def __init__(self, database: Database, subscriptions: Subscriptions) -> None:
        """Settle into `database` what `subscriptions` hear."""
        self.database = database
        self.subscriptions = subscriptions

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle each delivery or bury it. Raises only transient errors; then nothing is lost by trying all again."""
        for handler, items in self._sorted(deliveries).items():
            for start in range(0, len(items), handler.batch):
                self._handle(handler, items[start : start + handler.batch], attempts=0)

    def _sorted(self, deliveries: Sequence[Delivery]) -> dict[Handler[Any], list[Item]]:
        """Give each handler its letters in order; what no handler can read is buried at once."""
        work: dict[Handler[Any], list[Item]] = {}
        for delivery in deliveries:
            item = self._read(delivery)
            if item is not None:
                for handler in self.subscriptions.of(item.envelope.type):
                    work.setdefault(handler, []).append(item)
        return work

    def _read(self, delivery: Delivery) -> Item | None:
        try:
            envelope = open_envelope(delivery)
        except BrokenEnvelope as error:
            self._bury(delivery, Cause(Reason.BROKEN_ENVELOPE, str(error)))
            return None
        model = self.subscriptions.models.get(envelope.type)
        if model is None:
            self._bury(delivery, self._unknown(envelope.type), envelope=envelope)
            return None
        try:
            return Item(envelope, model.model_validate_json(envelope.body), delivery)
        except ValidationError as error:
            self._bury(delivery, Cause.of(Reason.BROKEN_BODY, error), envelope=envelope)
            return None

    def _unknown(self, event_type: str) -> Cause:
        if routing_key(event_type) in self.subscriptions.routing_keys:
            return Cause(Reason.UNKNOWN_VERSION, f"{event_type}: this service hears another version of it")
        return Cause(Reason.UNKNOWN_TYPE, f"{event_type}: nobody here hears it")

    def _handle(self, handler: Handler[Any], items: Sequence[Item], *, attempts: int) -> None:
        """Apply the items, halving the batch around a culprit; one that failed in TRIES transactions is buried."""
        error = self._apply(handler, items)
        if error is None:
            return
        attempts += 1
        if len(items) > 1:
            middle = len(items) // 2
            self._handle(handler, items[:middle], attempts=attempts)
            self._handle(handler, items[middle:], attempts=attempts)
        elif isinstance(error, Refusal) or attempts >= TRIES:
            reason = Reason.REFUSED if isinstance(error, Refusal) else Reason.FAILED
            self._bury(
                items[0].delivery,
                Cause.of(reason, error, attempts=attempts),
                handler=handler,
                envelope=items[0].envelope,
            )
        else:
            self._handle(handler, items, attempts=attempts)

    def _apply(self, handler: Handler[Any], items: Sequence[Item]) -> Exception | None:
        """Run one transaction; return what went wrong with the data, raise what went wrong with the database."""
        try:
            with self.database.transaction() as tx, telemetry.trace(_trace_of(items)):
                self.deliver(tx, handler, items)
        except Exception as error:  # Whatever a handler raises is the letter's fate, not the consumer's.
            if is_transient(error):
                raise
            log.warning("inbox.batch_failed", handler=handler.name, events=len(items), error=str(error))
            return error
        return None

    @staticmethod
    def deliver(tx: Session, handler: Handler[Any], items: Sequence[Item]) -> int:
        """Mark the items and hand the new ones to the handler; return how many were new."""
        marked = mark(tx, handler, [item.envelope.id for item in items])
        fresh: dict[UUID, Event] = {}
        for item in items:
            if item.envelope.id in marked:
                fresh.setdefault(item.envelope.id, item.event)
        if len(fresh) < len(items):
            log.info("inbox.repeats_dropped", handler=handler.name, repeats=len(items) - len(fresh))
        if fresh:
            handler(tx, list(fresh.values()))
        return len(fresh)

    def _bury(
        self, delivery: Delivery, cause: Cause, *, handler: Handler[Any] | None = None, envelope: Envelope | None = None
    ) -> None:
        name = handler.name if handler else None
        event_id, event_type = (envelope.id, envelope.type) if envelope else (None, None)
        with self.database.transaction() as tx:
            if handler and envelope and not mark(tx, handler, [envelope.id]):
                return  # Another try of this very letter came to its end meanwhile.
            bury(tx, delivery, cause, handler=name, event_id=event_id, event_type=event_type)
        log.error(
            "inbox.dead_letter", handler=name, event_id=str(event_id), reason=cause.reason.value, error=cause.error
        )


def mark(tx: Session, handler: Handler[Any], event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark events as taken by a handler; return those that were not yet."""
    ids = sorted(set(event_ids))  # Two batches that share events must not lock them in opposite orders.
    return set(tx.scalars(_MARK, {"ids": ids, "handler": handler.name}))


def _trace_of(items: Sequence[Item]) -> str | None:
    """One letter's effects belong to its trace; a batch has a trace of its own."""
    return items[0].envelope.traceparent if len(items) == 1 else None
