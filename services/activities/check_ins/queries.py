"""Reads of scans and wrong codes; whoever decides on them holds the person's lock."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.check_ins.tables import CodeAttempt, Scan


def find_steps(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> dict[str, int]:
    """Return the steps of the codes with which a person came (`in`) and left (`out`), as far as that has happened."""
    rows = select(Scan.way, Scan.step).where(Scan.shift_id == shift_id, Scan.volunteer_id == volunteer_id)
    return dict(tx.execute(rows).all())


def find_attempts(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> CodeAttempt | None:
    """Return the wrong codes that a person has given for a shift lately."""
    return tx.get(CodeAttempt, (shift_id, volunteer_id))
