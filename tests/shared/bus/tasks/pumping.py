"""What the relay does for the task lane: rows that are due become wake-ups, confirmed ones are deleted."""

from collections.abc import Sequence
from threading import Event as Flag
from typing import Protocol
from uuid import UUID

from sqlalchemy import text

from shared import clock
from shared.bus.tasks.sweeping import SENT
from shared.bus.tasks.wake_ups import wake_up_letter
from shared.bus.transport import Letter, Outcome, TransportDown
from shared.database.sessions import Database

_DUE = text("""
    SELECT event_id, type, traceparent, body FROM outbox WHERE lane = 'task'
        AND (due_at IS NULL OR due_at <= :now) AND (next_try_at IS NULL OR next_try_at <= now()) ORDER BY position
""")


class Publisher(Protocol):
    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]: ...


class Pump:
    """Publishes a service's wake-ups until it is told to stop."""

    def __init__(self, database: Database, publisher: Publisher, *, service: str) -> None:
        self._database = database
        self._publisher = publisher
        self._service = service

    def run(self, stop: Flag) -> None:
        while not stop.wait(0.05):
            self.pump()

    def pump(self) -> int:
        with self._database.transaction() as tx:
            rows = tx.execute(_DUE, {"now": clock.now()}).all()
        try:
            outcomes = self._publisher.publish([wake_up_letter(self._service, row) for row in rows])
        except TransportDown:
            return 0
        confirmed = [event_id for event_id, outcome in outcomes.items() if outcome is Outcome.CONFIRMED]
        with self._database.transaction() as tx:
            tx.execute(SENT, {"ids": confirmed})
        return len(confirmed)
