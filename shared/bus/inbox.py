"""How a batch of letters takes effect: each once, all that can, and none lost.

One transaction holds the inbox marks and the handler's work. When it fails the batch is halved until the culprit
stands alone; that one becomes a dead letter in the same transaction as its mark, and its neighbours go on.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus import parking, suspects
from shared.bus.burial import Address, Cause, Origin, Reason, bury
from shared.bus.envelope import BrokenEnvelope, Envelope, Item, open_envelope
from shared.bus.handlers import Handler, Subscriptions
from shared.bus.marks import mark
from shared.bus.tables import DeadLetter
from shared.bus.transport import Delivery
from shared.database.faults import is_transient
from shared.database.sessions import Database
from shared.errors import Refusal
from shared.events.base import Event, routing_key

TRIES = 3
RELEASED_AT_ONCE = 200
log = telemetry.get_logger()

_CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")  # What is deferred to the commit has to fail within the try.


class UnheardHandler(Exception):
    """A dead letter names a handler that the service does not have any more."""


class Inbox:
    """Settles deliveries for one service. After `settle` returns each is either in effect or a dead letter, durably."""

    def __init__(self, database: Database, subscriptions: Subscriptions) -> None:
        """Settle into `database` what `subscriptions` hear."""
        self.database = database
        self.subscriptions = subscriptions
        self.repeats = 0  # Letters that were marked already: what the broker or a publisher sent again.
        self._counting = Lock()  # Batches are settled beside each other, suspects never.
        self._tries: dict[UUID, int] = {}
        self._cleared: set[UUID | None] = set()

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle each delivery or bury it. Raises only transient errors; then nothing is lost by trying all again."""
        for handler, items in self._sorted(deliveries).items():
            for start in range(0, len(items), handler.batch):
                self._handle(handler, items[start : start + handler.batch])

    def settle_suspect(self, delivery: Delivery) -> None:
        """Settle one letter that was in hand when its consumer ended; after three such ends it is buried unopened.

        The count is committed before the handler runs, once in this process. `clear` takes it back.
        """
        if self._tries_of(delivery) < suspects.LAST:
            self.settle([delivery])
        else:
            self._bury_killer(delivery)
        self._cleared.add(suspects.id_of(delivery))

    def clear(self) -> None:
        """Take the suspicion from what was settled since the last call, and this try back from what was not.

        Nobody has ended over either of them.
        """
        if self._tries:
            with self.database.transaction() as tx:
                suspects.clear(tx, self._tries.keys() & self._cleared)
                suspects.take_back(tx, self._tries.keys() - self._cleared)
            self._tries, self._cleared = {}, set()

    def retry(self, tx: Session, letter: DeadLetter) -> Exception | None:
        """Handle a dead letter once more, within the caller's transaction; return why it failed again, if it did.

        One that no handler was given, as nobody could read it, goes to all that hear it now. Raises transient errors.
        """
        if letter.handler is None:
            return self._retry_unread(tx, parking.delivery_of(letter.headers, letter.body))
        handler = self.subscriptions.named(letter.handler)
        if handler is None:
            return UnheardHandler(letter.handler)
        return self._again(tx, handler, parking.delivery_of(letter.headers, letter.body))

    def release(self, tx: Session, handler_name: str, partition_key: str) -> int:
        """Handle what is parked behind a letter that is dead no more, in order, and return how many were handled.

        The first that fails becomes a dead letter; the others stay behind it, as they do while another of their key is
        dead. At most `RELEASED_AT_ONCE` are handled, for they hold up the handler's other letters until the transaction
        ends; the upkeep goes on with the rest.
        """
        handler = self.subscriptions.named(handler_name)
        if handler is None:
            return 0
        for handled in range(RELEASED_AT_ONCE):
            delivery = parking.take_next(tx, handler, partition_key)
            if delivery is None:
                return handled
            error = self._again(tx, handler, delivery)
            if error is not None:
                bury(tx, delivery, _cause_of(error), _address(handler, open_envelope(delivery), partition_key))
                return handled
        return RELEASED_AT_ONCE

    def _sorted(self, deliveries: Sequence[Delivery]) -> dict[Handler[Any], list[Item]]:
        """Give each handler its letters in order; what no handler can read is buried at once."""
        work: dict[Handler[Any], list[Item]] = {}
        for delivery in deliveries:
            item = self._read(delivery)
            if isinstance(item, Item):
                for handler in self.subscriptions.of(item.envelope.type):
                    work.setdefault(handler, []).append(item)
            else:
                self._bury_unread(delivery, item)
        return work

    def _read(self, delivery: Delivery) -> Item | Cause:
        """Read a letter, or say why nobody can."""
        try:
            envelope = open_envelope(delivery)
        except BrokenEnvelope as error:
            return Cause(Reason.BROKEN_ENVELOPE, str(error))
        model = self.subscriptions.models.get(envelope.type)
        if model is None:
            return self._unknown(envelope.type)
        try:
            return Item(envelope, model.model_validate_json(envelope.body), delivery)
        except ValidationError as error:
            return Cause.of(Reason.BROKEN_BODY, error)

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
                new = deliver(tx, handler, items)
        except Exception as error:  # Whatever a handler raises is these letters' fate, not the consumer's.
            if is_transient(error):
                raise
            log.warning("inbox.batch_failed", handler=handler.name, events=len(items), error=str(error))
            return False
        self._count_repeats(handler, len(items) - new)
        return True

    def _handle_alone(self, handler: Handler[Any], item: Item) -> None:
        """Try one item a few times; what never works is buried. Tries, mark and burial are one transaction."""
        with telemetry.trace(item.envelope.traceparent), self.database.transaction() as tx:
            attempts = 1
            while isinstance(done := _try(tx, lambda: deliver(tx, handler, [item])), Exception):
                log.warning("inbox.try_failed", handler=handler.name, attempts=attempts, error=str(done))
                if isinstance(done, Refusal) or attempts == TRIES:
                    if mark(tx, handler, [item]):  # Else another consumer has settled this very letter meanwhile.
                        _bury(tx, handler, item, _cause_of(done, attempts=attempts))
                    return
                attempts += 1
        self._count_repeats(handler, 1 - done)

    def _again(self, tx: Session, handler: Handler[Any], delivery: Delivery) -> Exception | None:
        """Run a handler over a letter that it has marked already."""
        item = self._read(delivery)
        if isinstance(item, Cause):
            return BrokenEnvelope(item.error)
        event = item.event
        with telemetry.trace(item.envelope.traceparent):
            done = _try(tx, lambda: _run(tx, handler, [event]))
        return done if isinstance(done, Exception) else None

    def _retry_unread(self, tx: Session, delivery: Delivery) -> Exception | None:
        item = self._read(delivery)
        if isinstance(item, Cause):
            return BrokenEnvelope(item.error)
        handlers = self.subscriptions.of(item.envelope.type)
        with telemetry.trace(item.envelope.traceparent):
            done = _try(tx, lambda: sum(deliver(tx, handler, [item]) for handler in handlers))
        return done if isinstance(done, Exception) else None

    def _tries_of(self, delivery: Delivery) -> int:
        """Count a try of a letter, but once in this process: a database that is away ends nobody.

        Those before it are suspected no more: they are settled, and what it may do to the process is not theirs.
        """
        event_id = suspects.id_of(delivery)
        if event_id is None:
            return 0  # No handler will see it.
        if event_id not in self._tries:
            with self.database.transaction() as tx:
                suspects.clear(tx, self._tries.keys() & self._cleared)
                self._tries[event_id] = suspects.count(tx, event_id)
            self._cleared.clear()
        return self._tries[event_id]

    def _bury_killer(self, delivery: Delivery) -> None:
        """Keep a letter that ended its process again and again, for each handler that has not settled it."""
        item = self._read(delivery)
        if isinstance(item, Cause):
            self._bury_unread(delivery, item)
            return
        with telemetry.trace(item.envelope.traceparent), self.database.transaction() as tx:
            for handler in self.subscriptions.of(item.envelope.type):
                if mark(tx, handler, [item]):
                    _bury(tx, handler, item, suspects.CAUSE)

    def _bury_unread(self, delivery: Delivery, cause: Cause) -> None:
        """Keep a letter that no handler was given."""
        with self.database.transaction() as tx:
            bury(tx, delivery, cause, address_of(delivery, Origin.INBOX))
        log.error("inbox.dead_letter", reason=cause.reason.value, error=cause.error)

    def _count_repeats(self, handler: Handler[Any], repeats: int) -> None:
        if repeats:
            with self._counting:
                self.repeats += repeats
            log.info("inbox.repeats_dropped", handler=handler.name, repeats=repeats)


def deliver(tx: Session, handler: Handler[Any], items: Sequence[Item]) -> int:
    """Mark the items and hand the new ones to the handler; return how many were new.

    Of a handler that wants order, those behind a dead letter of their key are parked instead.
    """
    new = mark(tx, handler, items)
    fresh = [new.pop(item.envelope.id) for item in items if item.envelope.id in new]
    count = len(fresh)
    if handler.ordered:
        fresh = parking.hold_back(tx, handler, fresh)
    _run(tx, handler, [item.event for item in fresh])
    return count


def address_of(delivery: Delivery, origin: Origin) -> Address:
    """Read as much of a letter as can be read."""
    try:
        envelope: Envelope | None = open_envelope(delivery)
    except BrokenEnvelope:
        envelope = None
    return Address(origin, None, envelope.id if envelope else None, envelope.type if envelope else None)


def _run(tx: Session, handler: Handler[Any], events: Sequence[Event]) -> int:
    if events:
        handler(tx, events)
    return len(events)


def _try(tx: Session, work: Callable[[], int]) -> int | Exception:
    """Do something within a savepoint; return why it failed, raise if the database did."""
    try:
        with tx.begin_nested():
            done = work()
            tx.execute(_CHECK_NOW)
    except Exception as error:  # As in `_apply`.
        if is_transient(error):
            raise
        return error
    return done


def _cause_of(error: Exception, *, attempts: int = 1) -> Cause:
    return Cause.of(Reason.REFUSED if isinstance(error, Refusal) else Reason.FAILED, error, attempts=attempts)


def _address(handler: Handler[Any], envelope: Envelope, partition_key: str) -> Address:
    return Address(Origin.INBOX, handler.name, envelope.id, envelope.type, partition_key)


def _bury(tx: Session, handler: Handler[Any], item: Item, cause: Cause) -> None:
    bury(tx, item.delivery, cause, _address(handler, item.envelope, item.partition_key))
    log.error("inbox.dead_letter", handler=handler.name, event_id=str(item.envelope.id), error=cause.error)
