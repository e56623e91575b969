"""Reads of scans."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.scans.tables import Scan
from services.activities.sign_ups.tables import SignUp


def list_scans_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Scan]:
    """Return a person's scans, oldest first, by way of the shifts on which they have or had a place: an index's way."""
    shifts = select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id)
    rows = select(Scan).where(Scan.shift_id.in_(shifts), Scan.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Scan.scanned_at).limit(limit)))
