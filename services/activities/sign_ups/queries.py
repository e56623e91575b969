"""Reads and locks of sign-ups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from services.activities.consents.rules import TERMS, Decision, Purpose
from services.activities.consents.tables import Consent
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer


class Guest(NamedTuple):
    """One line of a roster: `number` is the place's on its shift, `display_name` None without consent."""

    number: int
    volunteer_id: UUID
    display_name: str | None
    signed_up_at: datetime


def find_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp | None:
    """Return a person's place on a shift, unless it was withdrawn."""
    rows = select(SignUp).where(SignUp.shift_id == shift_id, SignUp.volunteer_id == volunteer_id)
    return tx.scalars(rows.where(SignUp.withdrawn_at.is_(None))).first()


def require_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp:
    """Return a person's place on a shift. Raises NotSignedUp."""
    place = find_place(tx, shift_id=shift_id, volunteer_id=volunteer_id)
    if place is None:
        raise NotSignedUp(shift_id=shift_id)
    return place


def list_roster(tx: Session, *, shift_id: UUID) -> list[Guest]:
    """Return who has a place on a shift, by name only those who consent to that now.

    Places are numbered in the order in which they were taken. One that was withdrawn keeps its number, or everybody
    after it would be called differently from then on.
    """
    numbered = select(
        SignUp.volunteer_id,
        SignUp.signed_up_at,
        SignUp.withdrawn_at,
        func.row_number().over(order_by=SignUp.id).label("number"),
    ).where(SignUp.shift_id == shift_id)
    place = numbered.subquery("place")
    allowed = _last_decision(place.c.volunteer_id)
    name = case((allowed.scalar_subquery().is_(True), Volunteer.display_name))
    rows = select(place.c.number, place.c.volunteer_id, name, place.c.signed_up_at)
    rows = rows.join(Volunteer, Volunteer.id == place.c.volunteer_id)
    rows = rows.where(place.c.withdrawn_at.is_(None), Volunteer.erased_at.is_(None)).order_by(place.c.number)
    return [Guest(*row) for row in tx.execute(rows)]


def _last_decision(volunteer_id: Any) -> Select[bool]:  # noqa: ANN401  A column of whatever is selected from.
    """Select whether the person's last decision about rosters lets a partner see the name (`consents.rules.holds`)."""
    terms = TERMS[Purpose.PARTNER_ROSTER]
    holds = (Consent.decision == Decision.GIVEN) & (Consent.text_version >= terms.holds_since)
    rows = select(holds).where(Consent.volunteer_id == volunteer_id, Consent.purpose == Purpose.PARTNER_ROSTER)
    return rows.order_by(Consent.number.desc()).limit(1)


def list_places_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[Any]:
    """Return a person's places, withdrawn ones too, each with its shift and listing, oldest first."""
    rows = select(
        SignUp.id, SignUp.shift_id, SignUp.source, SignUp.signed_up_at, SignUp.withdrawn_at,
        Shift.starts_at, Shift.ends_at, Shift.service_on, Shift.partner_id, Listing.title, Listing.timezone,
    ).join(Shift, Shift.id == SignUp.shift_id).join(Listing, Listing.id == Shift.listing_id)  # fmt: skip
    return tx.execute(rows.where(SignUp.volunteer_id == volunteer_id).order_by(SignUp.id).limit(limit)).all()
