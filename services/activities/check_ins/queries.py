"""Reads of scans and wrong codes; whoever decides on them holds the person's lock."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.activities.check_ins.tables import CodeAttempt, Scan
from services.activities.sign_ups.tables import SignUp


def find_steps(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> dict[str, int]:
    """Return the steps of the codes with which a person came (`in`) and left (`out`), as far as that has happened."""
    rows = select(Scan.way, Scan.step).where(Scan.shift_id == shift_id, Scan.volunteer_id == volunteer_id)
    return dict(tx.execute(rows).all())


def find_attempts(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> CodeAttempt | None:
    """Return the wrong codes that a person has given for a shift lately."""
    return tx.get(CodeAttempt, (shift_id, volunteer_id))


def list_scans_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Scan]:
    """Return a person's scans, oldest first."""
    rows = select(Scan).where(Scan.shift_id.in_(_shifts_of(volunteer_id)), Scan.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Scan.scanned_at).limit(limit)))


def list_attempts_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[CodeAttempt]:
    """Return where a person has given wrong codes lately."""
    shifts = _shifts_of(volunteer_id)
    rows = select(CodeAttempt).where(CodeAttempt.shift_id.in_(shifts), CodeAttempt.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(CodeAttempt.last_failed_at).limit(limit)))


def _shifts_of(volunteer_id: UUID) -> Select[UUID]:
    """Select the shifts on which a person has or had a place: the way to their rows that has an index."""
    return select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id)
