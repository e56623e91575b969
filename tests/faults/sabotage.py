"""What goes wrong inside a process: it ends at a point, its database fails it, a rule or a bug refuses a fact."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.handlers import Handler
from shared.bus.testing import Wrapped
from shared.bus.transport import Delivery, Letter, Outcome, Subscription, Transport
from shared.errors import Conflict, Title

DATABASE_ERRORS = (
    "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$",
    "DO $$ BEGIN RAISE EXCEPTION 'serialization' USING ERRCODE = '40001'; END $$",
    "SELECT pg_terminate_backend(pg_backend_pid())",
)


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


class Unwelcome(Conflict):
    """A rule says no to a fact."""

    code = "unwelcome"
    title = Title(zh="不受欢迎", en="Unwelcome")


class Trouble(StrEnum):
    """What may happen in the next step, once."""

    NONE = "none"
    BEFORE_PUBLISH = "killed before publishing"
    AFTER_PUBLISH = "killed after publishing"
    IN_HANDLER = "killed in the handler"
    BEFORE_ACK = "killed before acknowledging"
    DATABASE = "database error"


class Saboteur:
    """Makes one trouble at a time, where the product calls its broker or its handlers."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        """Let `interrupt` know before the database fails a handler, so that nobody waits for it."""
        self.unwelcome: dict[UUID, Exception] = {}
        self.happened: Counter[Trouble] = Counter()
        self._interrupt = interrupt
        self._planned = Trouble.NONE
        self._handlers_before = 0

    def plan(self, trouble: Trouble, *, handlers_before: int = 0) -> None:
        """Have this happen at the next chance; in a handler after so many others were run."""
        self._planned, self._handlers_before = trouble, handlers_before

    def strikes(self, trouble: Trouble) -> bool:
        """Decide whether it happens here and now; it does so once."""
        if self._planned is not trouble:
            return False
        self._planned = Trouble.NONE
        self.happened[trouble] += 1
        return True

    def spoiled(self, handler: Handler[Any]) -> Handler[Any]:
        """Put troubles at the end of a handler, so that there is something to undo."""

        def run(tx: Session, events: Sequence[Any]) -> None:
            handler.run(tx, events)
            tx.flush()
            self._spoil(tx)
            for event in events:
                if event.attendance_id in self.unwelcome:
                    raise self.unwelcome[event.attendance_id]

        return replace(handler, run=run)

    def _spoil(self, tx: Session) -> None:
        self._handlers_before -= 1
        if self._handlers_before >= 0:
            return
        if self.strikes(Trouble.IN_HANDLER):
            raise Killed
        if self.strikes(Trouble.DATABASE):
            self._interrupt()
            tx.execute(text(DATABASE_ERRORS[self.happened[Trouble.DATABASE] % len(DATABASE_ERRORS)]))


class CrashingTransport(Wrapped):
    """A transport whose user may end around what it does."""

    def __init__(self, transport: Transport, saboteur: Saboteur) -> None:
        super().__init__(transport)
        self.saboteur = saboteur

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        if self.saboteur.strikes(Trouble.BEFORE_PUBLISH):
            raise Killed
        outcomes = self.transport.publish(letters)
        if self.saboteur.strikes(Trouble.AFTER_PUBLISH):
            raise Killed
        return outcomes

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        return CrashingSubscription(self.transport.subscribe(queue, batch=batch), self.saboteur)


class CrashingSubscription:
    """A subscription whose user may end before it acknowledges."""

    def __init__(self, subscription: Subscription, saboteur: Saboteur) -> None:
        self.subscription = subscription
        self.saboteur = saboteur

    def fetch(self, *, timeout: float) -> list[Delivery]:
        return self.subscription.fetch(timeout=timeout)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries and self.saboteur.strikes(Trouble.BEFORE_ACK):
            raise Killed
        self.subscription.ack(deliveries)

    def close(self) -> None:
        self.subscription.close()
