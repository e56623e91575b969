"""Taking in lists of people, and erasing people, keep out of each other's way: a lock of the programme.

It is the first that a transaction takes, before the row of an import and before people, or two would wait in a circle.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_TAKING_IN = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('people:' || :programme_id, 0))")
_ERASING = text("SELECT pg_advisory_xact_lock(hashtextextended('people:' || :programme_id, 0))")


def lock_against_erasure(tx: Session, *, programme_id: UUID) -> None:
    """Let nobody of the programme be erased until this transaction ends.

    Whoever takes in a list of people holds it, or a list judged before an erasure would be kept after it. Several may.
    """
    tx.execute(_TAKING_IN, {"programme_id": str(programme_id)})


def lock_for_erasure(tx: Session, *, programme_id: UUID) -> None:
    """Wait for the lists of the programme that are being taken in, and let none begin until this transaction ends."""
    tx.execute(_ERASING, {"programme_id": str(programme_id)})
