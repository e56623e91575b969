"""Reads of what recommendations are made of: what is open, and what is known of one person. Nothing of it is kept."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.activities.feedback.tables import Feedback
from services.activities.feedback_forms.rules import Side
from services.activities.kits.tables import KitTerms
from services.activities.listings.tables import Listing, Shift
from services.activities.openings.queries import openings_of
from services.activities.places.queries import KEPT
from services.activities.recommendations.rules import AHEAD, Offer, Visit
from services.activities.sign_ups.rules import State
from services.activities.sign_ups.tables import SignUp
from shared.zones import zone

MOST_OFFERS: Final = 1_000  # Those that start soonest.
MOST_VISITS: Final = 200  # The latest.
_RATING: Final = "overall"  # The question of the form that ships; of one that does not ask it there is no rating.


def list_offers(tx: Session, *, programme_id: UUID, now: datetime) -> list[Offer]:
    """Return the shifts that take people, or will draw among them, soonest first."""
    has_kit = select(KitTerms.listing_id).where(KitTerms.listing_id == Shift.listing_id).exists()
    rows = openings_of(programme_id, None, now=now).with_only_columns(
        Shift.id, Shift.listing_id, Shift.partner_id, Shift.starts_at, Shift.ends_at, Shift.service_on,
        Listing.timezone, Listing.mode, Listing.city, Listing.skills,
        Shift.capacity, Shift.taken, Shift.minimum, Shift.awaits_draw, has_kit,
        maintain_column_froms=True,
    )  # fmt: skip
    rows = rows.where(Shift.starts_at <= now + AHEAD, or_(Shift.taken < Shift.capacity, Shift.awaits_draw))
    found: Iterable[Any] = tx.execute(rows.order_by(Shift.starts_at, Shift.id).limit(MOST_OFFERS))
    return [_offer(*row) for row in found]


def _offer(*values: Any) -> Offer:  # noqa: ANN401  The columns, in which the time zone stands for the local start.
    *first, timezone = values[:7]
    fields = (*first, values[3].astimezone(zone(timezone)), *values[7:])
    return Offer(*fields)


def list_visits(tx: Session, *, volunteer_id: UUID) -> list[Visit]:
    """Return where a person served, oldest first, with how they rated it."""
    rated = and_(
        Feedback.shift_id == Shift.id, Feedback.volunteer_id == SignUp.volunteer_id, Feedback.side == Side.VOLUNTEER
    )
    rows = select(Shift.partner_id, Shift.starts_at, Listing.timezone, Feedback.marks)
    rows = rows.join(SignUp, SignUp.shift_id == Shift.id).join(Listing, Listing.id == Shift.listing_id)
    rows = rows.outerjoin(Feedback, rated)
    rows = rows.where(SignUp.volunteer_id == volunteer_id, SignUp.state == State.ATTENDED)
    found = tx.execute(rows.order_by(Shift.starts_at.desc(), Shift.id.desc()).limit(MOST_VISITS)).all()
    return [
        Visit(partner_id, starts_at.astimezone(zone(timezone)), _rating(marks))
        for partner_id, starts_at, timezone, marks in reversed(found)
    ]


def list_busy(tx: Session, *, volunteer_id: UUID, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return when a person has a place, or is kept one, from now on: then no other can be taken."""
    rows = select(Shift.starts_at, Shift.ends_at).join(SignUp, SignUp.shift_id == Shift.id)
    rows = rows.where(SignUp.volunteer_id == volunteer_id, SignUp.state.in_(KEPT), Shift.ends_at > now)
    return [(row.starts_at, row.ends_at) for row in tx.execute(rows)]


def _rating(marks: dict[str, object] | None) -> int | None:
    mark = (marks or {}).get(_RATING)
    return mark if isinstance(mark, int) and not isinstance(mark, bool) else None
