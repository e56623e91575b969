"""What a service has told, kept by month: a reader that comes later, or has lost its books, starts from here."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

PAGE = 1_000

MOVE = text("""
    WITH told AS (DELETE FROM outbox WHERE event_id = ANY(CAST(:ids AS uuid[])) RETURNING *)
    INSERT INTO event_archive (emitted_at, event_id, type, programme_id, partition_key, traceparent, body)
    SELECT emitted_at, event_id, type, programme_id, partition_key, traceparent, body FROM told
    ON CONFLICT DO NOTHING
""")  # In conflict is what came back unrouted and was told again: it is the same event.
_MAKE_MONTH = text("SELECT make_archive_month(:month)")
_READ = text("""
    SELECT emitted_at, event_id, type, programme_id, partition_key, traceparent, body FROM event_archive
    WHERE type = ANY(CAST(:types AS text[])) AND (emitted_at, event_id) > (:emitted_at, CAST(:event_id AS uuid))
    ORDER BY emitted_at, event_id LIMIT :page
""")
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class Months:
    """The months of the archive that are known to be there."""

    def __init__(self) -> None:
        """Know none yet."""
        self._made: set[date] = set()

    def ensure(self, connection: Connection, instants: Iterable[datetime]) -> None:
        """Make the months that these instants fall into, in a transaction of their own."""
        missing = {instant.astimezone(UTC).date().replace(day=1) for instant in instants} - self._made
        for month in sorted(missing):
            connection.execute(_MAKE_MONTH, {"month": month})
        if missing:
            connection.commit()
        self._made |= missing


def read(tx: Session, types: Collection[str]) -> Iterator[Row[Any]]:
    """Yield what was told of these types, oldest first, a page at a time."""
    emitted_at, event_id = _BEGINNING
    while True:
        asked = {"types": sorted(types), "emitted_at": emitted_at, "event_id": event_id, "page": PAGE}
        rows = tx.execute(_READ, asked).all()
        yield from rows
        if len(rows) < PAGE:
            return
        emitted_at, event_id = rows[-1].emitted_at, rows[-1].event_id
