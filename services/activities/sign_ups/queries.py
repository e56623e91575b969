"""Reads and locks of sign-ups."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp


def find_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp | None:
    """Return a person's place on a shift."""
    return tx.scalars(select(SignUp).where(SignUp.shift_id == shift_id, SignUp.volunteer_id == volunteer_id)).first()


def require_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp:
    """Return a person's place on a shift. Raises NotSignedUp."""
    place = find_place(tx, shift_id=shift_id, volunteer_id=volunteer_id)
    if place is None:
        raise NotSignedUp(shift_id=shift_id)
    return place
