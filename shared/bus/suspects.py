"""Letters that were in hand when a process ended.

Nobody knows which of them ended it, so each is tried alone from then on, and counted before it is. One that is counted
a third time has ended two processes alone and one in company: it is buried unopened (PITFALLS R1, F11).
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.burial import Cause, Reason
from shared.bus.transport import Delivery

LAST = 3
CAUSE = Cause(Reason.KILLED, "the process ended each time that it had this letter in hand", attempts=LAST)

_COUNT = text("""
    INSERT INTO suspect (event_id, tries) VALUES (:id, 1)
    ON CONFLICT (event_id) DO UPDATE SET tries = suspect.tries + 1, tried_at = now() RETURNING tries
""")
_TAKE_BACK = text("UPDATE suspect SET tries = tries - 1 WHERE event_id = ANY(CAST(:ids AS uuid[]))")
_CLEAR = text("DELETE FROM suspect WHERE event_id = ANY(CAST(:ids AS uuid[]))")


def id_of(delivery: Delivery) -> UUID | None:
    """Read by which id a letter is counted; None if it has none, and then no handler will see it either."""
    try:
        return UUID(delivery.headers.get("ce-id", ""))
    except ValueError:
        return None


def count(tx: Session, event_id: UUID) -> int:
    """Count one more try; return how many there were with it."""
    return int(tx.execute(_COUNT, {"id": event_id}).scalar_one())


def clear(tx: Session, event_ids: Iterable[UUID]) -> None:
    """Forget letters that did no harm."""
    tx.execute(_CLEAR, {"ids": sorted(event_ids)})


def take_back(tx: Session, event_ids: Iterable[UUID]) -> None:
    """Count one try less: it was given up before anything came of it."""
    tx.execute(_TAKE_BACK, {"ids": sorted(event_ids)})
