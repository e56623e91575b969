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
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.dead_letters import Address, Cause, Origin, Reason, bury
from shared.bus.envelope import BrokenEnvelope, Envelope, open_envelope
from shared.bus.handlers import Handler, Subscriptions
from shared.bus.transport import Delivery
from shared.database.faults import is_transient
from shared.database.sessions import Database
from shared.errors import Refusal
from shared.events.base import Event, routing_key

TRIES = 3
log = telemetry.get_logger()

_MARK = text("""
    INSERT INTO inbox (event_id, handler)
    SELECT unnest(CAST(:ids AS uuid[])), :handler ON CONFLICT DO NOTHING RETURNING event_id
""")

_CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")  # What is deferred to the commit has to fail within the try.


@dataclass(frozen=True, slots=True)
class Item:
    """One readable letter on its way to one handler."""

    envelope: Envelope
    event: Event
    delivery: Delivery


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
                self._handle(handler, items[start : start + handler.batch])

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
            self._bury_unread(delivery, Cause(Reason.BROKEN_ENVELOPE, str(error)))
            return None
        model = self.subscriptions.models.get(envelope.type)
        if model is None:
            self._bury_unread(delivery, self._unknown(envelope.type), envelope)
            return None
        try:
            return Item(envelope, model.model_validate_json(envelope.body), delivery)
        except ValidationError as error:
            self._bury_unread(delivery, Cause.of(Reason.BROKEN_BODY, error), envelope)
            return None

    def _unknown(self, event_type: str) -> Cause:
        if routing_key(event_type) in self.subscriptions.routing_keys:
            return Cause(Reason.UNKNOWN_VERSION, f"{event_type}: this service hears another version of it")
        return Cause(Reason.UNKNOWN_TYPE, f"{event_type}: nobody here hears it")

    def _handle(self, handler: Handler[Any], items: Sequence[Item]) -> None:
        """Apply the items, halving the batch around a culprit until it stands alone."""
        if len(items) == 1:
            self._handle_alone(handler, items[0])
        elif not self._apply(handler, items):
            middle = len(items) // 2
            self._handle(handler, items[:middle])
            self._handle(handler, items[middle:])

    def _apply(self, handler: Handler[Any], items: Sequence[Item]) -> bool:
        """Apply several items in one transaction; False if it failed for a reason that lies in them."""
        try:
            with telemetry.trace(None), self.database.transaction() as tx:
                deliver(tx, handler, items)
        except Exception as error:  # Whatever a handler raises is these letters' fate, not the consumer's.
            if is_transient(error):
                raise
            log.warning("inbox.batch_failed", handler=handler.name, events=len(items), error=str(error))
            return False
        return True

    def _handle_alone(self, handler: Handler[Any], item: Item) -> None:
        """Try one item a few times; what never works is buried. Tries, mark and burial are one transaction."""
        with telemetry.trace(item.envelope.traceparent), self.database.transaction() as tx:
            attempts = 1
            while (error := _try(tx, handler, item)) is not None:
                log.warning("inbox.try_failed", handler=handler.name, attempts=attempts, error=str(error))
                if isinstance(error, Refusal) or attempts == TRIES:
                    self._bury_tried(tx, handler, item, error, attempts)
                    return
                attempts += 1

    def _bury_tried(self, tx: Session, handler: Handler[Any], item: Item, error: Exception, attempts: int) -> None:
        if not mark(tx, handler, [item.envelope.id]):
            return  # Another consumer has settled this very letter meanwhile.
        reason = Reason.REFUSED if isinstance(error, Refusal) else Reason.FAILED
        cause = Cause.of(reason, error, attempts=attempts)
        bury(tx, item.delivery, cause, Address(Origin.INBOX, handler.name, item.envelope.id, item.envelope.type))
        log.error("inbox.dead_letter", handler=handler.name, event_id=str(item.envelope.id), error=cause.error)

    def _bury_unread(self, delivery: Delivery, cause: Cause, envelope: Envelope | None = None) -> None:
        """Keep a letter that no handler was given."""
        event_id, event_type = (envelope.id, envelope.type) if envelope else (None, None)
        with self.database.transaction() as tx:
            bury(tx, delivery, cause, Address(Origin.INBOX, None, event_id, event_type))
        log.error("inbox.dead_letter", event_id=str(event_id), reason=cause.reason.value, error=cause.error)


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


def _try(tx: Session, handler: Handler[Any], item: Item) -> Exception | None:
    """Deliver one item within a savepoint; return why it failed, raise if the database did."""
    try:
        with tx.begin_nested():
            deliver(tx, handler, [item])
            tx.execute(_CHECK_NOW)
    except Exception as error:  # As in `_apply`.
        if is_transient(error):
            raise
        return error
    return None


def mark(tx: Session, handler: Handler[Any], event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark events as taken by a handler; return those that were not yet."""
    ids = sorted(set(event_ids))  # Two batches that share events must not lock them in opposite orders.
    return set(tx.scalars(_MARK, {"ids": ids, "handler": handler.name}))
