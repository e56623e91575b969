"""The way from an outbox to the broker. One relay of a service is active at a time; the others stand by."""

from collections.abc import Sequence
from threading import Event as Flag
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import SQLAlchemyError

from shared import telemetry
from shared.bus.envelope import letter_of
from shared.bus.transport import Letter, Outcome, Transport, TransportDown
from shared.database.sessions import Database

BATCH = 2_000
IDLE_SECONDS = 0.1
STANDBY_SECONDS = 0.5
FAILED_SECONDS = 1.0

log = telemetry.get_logger()

# Due rows are compared with the server's clock: this is a back-off of the machinery, not a date of the programme.
_CLAIM = text("""
    SELECT position, event_id, type, programme_id, partition_key, emitted_at, traceparent, body FROM outbox
    WHERE next_try_at IS NULL OR next_try_at <= now() ORDER BY position LIMIT :batch
""")
_DELETE = text("DELETE FROM outbox WHERE event_id = ANY(CAST(:ids AS uuid[]))")
_BACK_OFF = text("""
    UPDATE outbox SET attempts = attempts + 1,
        next_try_at = now() + least(power(2, least(attempts, 10)), 600) * interval '1 s'
    WHERE event_id = ANY(CAST(:ids AS uuid[]))
""")
_LEAD = text("SELECT pg_try_advisory_lock(hashtext('popcandy.relay'))")


class Relay:
    """Publishes a service's outbox in order and deletes what the broker has confirmed."""

    def __init__(self, database: Database, transport: Transport, *, service: str) -> None:
        """Relay from `database`; `service` is the source that its events name."""
        self.database = database
        self.transport = transport
        self.service = service

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. The leader's lock and the claims share one connection: losing it ends both."""
        while not stop.is_set():
            try:
                with self.database.engine.connect() as connection:
                    self._lead(connection, stop)
            except (SQLAlchemyError, TransportDown) as error:
                log.warning("relay.interrupted", service=self.service, error=str(error))
                stop.wait(FAILED_SECONDS)

    def _lead(self, connection: Connection, stop: Flag) -> None:
        try:
            while not stop.is_set():
                if not _is_leader(connection):
                    stop.wait(STANDBY_SECONDS)
                    continue
                while not stop.is_set():
                    if self.pump(connection) == 0:
                        stop.wait(IDLE_SECONDS)
        finally:
            connection.invalidate()  # Closed, not returned to the pool: the lock goes with it.

    def pump(self, connection: Connection) -> int:
        """Publish one batch; return how many rows left the outbox. No transaction is open while the broker answers."""
        rows = connection.execute(_CLAIM, {"batch": BATCH}).all()
        connection.commit()
        if not rows:
            return 0
        outcomes = self.transport.publish([self._letter(row) for row in rows])
        confirmed = _with(outcomes, Outcome.CONFIRMED)
        refused = _with(outcomes, Outcome.REFUSED)
        connection.execute(_DELETE, {"ids": confirmed})
        if refused:
            log.warning("relay.refused", service=self.service, events=len(refused))
            connection.execute(_BACK_OFF, {"ids": refused})
        connection.commit()
        return len(confirmed)

    def _letter(self, row: Row[Any]) -> Letter:
        extensions = {
            "ce-partitionkey": row.partition_key,
            "ce-programmeid": str(row.programme_id),
            "ce-traceparent": row.traceparent,
        }
        return letter_of(
            event_id=row.event_id,
            event_type=row.type,
            service=self.service,
            emitted_at=row.emitted_at,
            headers=extensions,
            body=row.body,
        )


def _is_leader(connection: Connection) -> bool:
    leads = bool(connection.execute(_LEAD).scalar_one())
    connection.commit()
    return leads


def _with(outcomes: dict[UUID, Outcome], wanted: Outcome) -> Sequence[UUID]:
    return [event_id for event_id, outcome in outcomes.items() if outcome is wanted]
