"""The way from an outbox to the broker. One relay of a service and lane is active at a time; the others stand by."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, TextClause, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import clock, telemetry
from shared.bus import archive
from shared.bus.burial import Address, Cause, Origin, Reason, bury
from shared.bus.envelope import letter_of
from shared.bus.outbox import Lane
from shared.bus.patience import pause
from shared.bus.transport import (
    Delivery,
    Forbidden,
    Letter,
    Outcome,
    TopologyMissing,
    TransportDown,
    unfitness,
)
from shared.database import packed
from shared.database.sessions import Database
from shared.database.signals import listen, wait_for_signal

BATCH = 2_000
BATCH_BYTES = 16 << 20  # A batch of large letters ends here; one letter always goes.
POLL_SECONDS = 0.2  # A signal can be lost, and rows become due without one.
STANDBY_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

log = telemetry.get_logger()

# Due by the programme's clock, which the caller passes; backed off by the server's, which is the machinery's.
_RELEASE_DUE = text("""
    WITH due AS (
        DELETE FROM outbox WHERE position IN (
            SELECT position FROM outbox WHERE due_at <= :now AND lane = :lane
            ORDER BY due_at, position LIMIT :batch FOR UPDATE SKIP LOCKED)
        RETURNING *)
    INSERT INTO outbox (lane, event_id, type, programme_id, partition_key, emitted_at, traceparent, body)
    SELECT lane, event_id, type, programme_id, partition_key, emitted_at, traceparent, body FROM due
    ORDER BY due.due_at, due.position
""")
_RELEASE_TRIED = text("""
    UPDATE outbox SET next_try_at = NULL WHERE position IN (
        SELECT position FROM outbox WHERE next_try_at <= now() AND lane = :lane AND due_at IS NULL
        ORDER BY next_try_at LIMIT :batch FOR UPDATE SKIP LOCKED)
""")
_CLAIM = text("""
    SELECT * FROM (
        SELECT *, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS bytes_before FROM (
            SELECT position, event_id, type, programme_id, partition_key, emitted_at, traceparent, body FROM outbox
            WHERE lane = :lane AND due_at IS NULL AND next_try_at IS NULL ORDER BY position LIMIT :batch) AS ready
        ) AS measured
    WHERE bytes_before < :bytes ORDER BY position
""")
_DELETE = text("DELETE FROM outbox WHERE event_id = ANY(CAST(:ids AS uuid[]))")
_BACK_OFF = text("""
    UPDATE outbox SET attempts = attempts + 1,
        next_try_at = now() + least(power(2, least(attempts, 10)), 600) * interval '1 s'
    WHERE event_id = ANY(CAST(:ids AS uuid[]))
""")
_LEAD = text("SELECT pg_try_advisory_lock(hashtext('popcandy.relay'), hashtext(:lane))")


class Publisher(Protocol):
    """What a relay needs of a broker."""

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters in order and return what became of them, as `Transport.publish` does."""


@dataclass(frozen=True, slots=True)
class Route:
    """How the rows of one lane travel: what makes a letter of one, and the statement by which those that left go."""

    lane: Lane
    letter_of: Callable[[str, Row[Any]], Letter]
    sent: TextClause


class Relay:
    """Publishes one lane of a service's outbox in order and deletes what the broker has confirmed."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        *,
        service: str,
        route: Route | None = None,
        poll_seconds: float = POLL_SECONDS,
        heard: Collection[str] | None = None,
    ) -> None:
        """Relay from `database`; `service` is the source that its letters name; without a `route` it tells events.

        With `heard`, letters of these routing keys alone travel; what nobody hears goes into the archive at once, where
        whoever comes to hear it begins.
        """
        self.database = database
        self.publisher = publisher
        self.service = service
        self.route = route or EVENTS
        self.lane = self.route.lane
        self.poll_seconds = poll_seconds
        self.heard = heard
        self._months = archive.Months()
        self._failures = 0

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. The leader's lock and the claims share one connection: losing it ends both."""
        while not stop.is_set():
            try:
                with self.database.engine.connect() as connection:
                    self._lead(connection, stop)
            except (SQLAlchemyError, TransportDown, TopologyMissing) as error:
                self._failures += 1
                log.warning("relay.interrupted", service=self.service, lane=self.lane, error=str(error))
                stop.wait(pause(self._failures, longest=LONGEST_PAUSE_SECONDS))

    def _lead(self, connection: Connection, stop: Flag) -> None:
        try:
            while not self._is_leader(connection):
                if stop.wait(STANDBY_SECONDS):
                    return
            listen(connection, self.lane.channel)
            while not stop.is_set():
                if self.pump(connection) == 0:
                    wait_for_signal(connection, seconds=self.poll_seconds)
        finally:
            connection.invalidate()  # Closed, not returned to the pool: the lock goes with it.

    def _is_leader(self, connection: Connection) -> bool:
        leads = bool(connection.execute(_LEAD, {"lane": self.lane.value}).scalar_one())
        connection.commit()
        return leads

    def pump(self, connection: Connection) -> int:
        """Publish one batch; return how many rows left the outbox. No transaction is open while the broker answers."""
        rows = self._claim(connection)
        if not rows:
            return 0
        letters = [self.route.letter_of(self.service, row) for row in rows]
        kept = {letter.id: Outcome.CONFIRMED for letter in letters if not self._travels(letter)}
        travelling = [letter for letter in letters if letter.id not in kept]
        fates = (self._send(travelling) if travelling else {}) | kept
        with Session(connection) as tx, tx.begin():
            self._back_off(tx, [row.event_id for row in rows if fates.get(row.event_id) is Outcome.REFUSED])
            confirmed = [row.event_id for row in rows if fates.get(row.event_id) is Outcome.CONFIRMED]
            if confirmed:
                tx.execute(self.route.sent, {"ids": packed.uuids(confirmed)})
            dead = [row for row in rows if isinstance(fates.get(row.event_id), Cause)]
            self._bury(tx, dead, fates)
        self._failures = 0
        return len(confirmed) + len(dead)

    def _claim(self, connection: Connection) -> Sequence[Row[Any]]:
        """Let rows go whose time has come, and read the next ones in order."""
        lane = {"lane": self.lane.value, "batch": BATCH}
        connection.execute(_RELEASE_DUE, lane | {"now": clock.now()})
        connection.execute(_RELEASE_TRIED, lane)
        rows = connection.execute(_CLAIM, lane | {"bytes": BATCH_BYTES}).all()
        connection.commit()
        if self.lane is Lane.EVENT:
            self._months.ensure(connection, (row.emitted_at for row in rows))
        return rows

    def _travels(self, letter: Letter) -> bool:
        return self.heard is None or letter.routing_key in self.heard

    def _send(self, letters: Sequence[Letter]) -> dict[UUID, Outcome | Cause]:
        """Publish, and find out which letter it is that the broker forbids: it does not say, and takes none with it.

        A wake-up never dies: its run is queued still, and it would say nothing to whoever replayed it. It is put off.
        """
        try:
            outcomes = self.publisher.publish(letters)
        except Forbidden as error:
            if self.lane is Lane.TASK:  # One is like the other, and all go the same way.
                log.warning("relay.wake_ups_forbidden", service=self.service, letters=len(letters), error=str(error))
                return dict.fromkeys((letter.id for letter in letters), Outcome.REFUSED)
            if len(letters) == 1:
                return {letters[0].id: Cause(Reason.FORBIDDEN, str(error))}
            middle = len(letters) // 2
            return self._send(letters[:middle]) | self._send(letters[middle:])
        if self.lane is Lane.TASK:
            return {key: _put_off(outcome) for key, outcome in outcomes.items()}
        unfit = {letter.id: letter for letter in letters if outcomes.get(letter.id) is Outcome.UNFIT}
        causes = {key: Cause(Reason.UNFIT, unfitness(letter) or "unfit") for key, letter in unfit.items()}
        return outcomes | causes

    def _back_off(self, tx: Session, refused: Sequence[UUID]) -> None:
        if refused:
            log.warning("relay.refused", service=self.service, lane=self.lane, letters=len(refused))
            tx.execute(_BACK_OFF, {"ids": refused})

    def _bury(self, tx: Session, rows: Sequence[Row[Any]], fates: Mapping[UUID, Outcome | Cause]) -> None:
        for row in rows:
            letter, cause = self.route.letter_of(self.service, row), fates[row.event_id]
            assert isinstance(cause, Cause)  # noqa: S101  That is how they were chosen.
            delivery = Delivery(letter.headers, letter.body, letter.routing_key, redelivered=False, receipt=None)
            bury(tx, delivery, cause, Address(Origin.OUTBOX, None, row.event_id, row.type, row.partition_key))
            log.error("relay.dead_letter", event_id=str(row.event_id), type=row.type, error=cause.error)
        if rows:
            tx.execute(_DELETE, {"ids": [row.event_id for row in rows]})


def _put_off(outcome: Outcome) -> Outcome:
    return Outcome.REFUSED if outcome is Outcome.UNFIT else outcome


def event_letter(service: str, row: Row[Any]) -> Letter:
    """Put a row of the event lane into a CloudEvent."""
    extensions = {
        "ce-partitionkey": row.partition_key,
        "ce-programmeid": str(row.programme_id),
        "ce-traceparent": row.traceparent,
    }
    return letter_of(
        event_id=row.event_id,
        event_type=row.type,
        service=service,
        emitted_at=row.emitted_at,
        headers=extensions,
        body=row.body,
    )


EVENTS = Route(Lane.EVENT, event_letter, archive.MOVE)
