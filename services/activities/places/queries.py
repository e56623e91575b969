"""What is read of a person's own sign-ups, and of those on a host's shifts."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Tuple, case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from services.activities.listings.queries import lock_shift, shifts_of
from services.activities.listings.tables import Listing, Shift
from services.activities.places.rules import Other
from services.activities.sign_ups.queries import find_overlap
from services.activities.sign_ups.rules import PLACED, State
from services.activities.sign_ups.tables import SignUp
from shared.database.arrays import among
from shared.errors import NotFound

LAST: Final = 2**31 - 1
MOST_OWN: Final = 200
KEPT: Final = (State.CONFIRMED, State.OFFERED)


def overlap(tx: Session, *, volunteer_id: UUID, shift: Shift, states: tuple[State, ...] = KEPT) -> Other | None:
    """Return another shift at that time on which the person has a place, or is kept one."""
    found = find_overlap(tx, volunteer_id=volunteer_id, shift=shift, states=states)
    return None if found is None else Other(*found)


def get_sign_up(
    tx: Session,
    *,
    programme_id: UUID,
    sign_up_id: UUID,
    volunteer_id: UUID | None = None,
    partner_id: UUID | None = None,
) -> SignUp:
    """Return a sign-up; one person's, or one on a shift of one partner's, where that is said. Raises NotFound."""
    rows = select(SignUp).where(SignUp.id == sign_up_id, SignUp.programme_id == programme_id)
    if volunteer_id is not None:
        rows = rows.where(SignUp.volunteer_id == volunteer_id)
    if partner_id is not None:
        rows = rows.join(Shift, Shift.id == SignUp.shift_id).where(Shift.partner_id == partner_id)
    found = tx.scalars(rows).first()
    if found is None:
        raise NotFound(sign_up_id=sign_up_id)
    return found


def lock_with_shift(tx: Session, place: SignUp) -> Shift:
    """Lock a sign-up's shift, and read the sign-up again: it may have changed while we waited."""
    shift = lock_shift(tx, programme_id=place.programme_id, shift_id=place.shift_id)
    tx.refresh(place)
    return shift


class OwnPlace(NamedTuple):
    """A person's sign-up with what it is for; `position` is the place in the line, from 1, None outside of it."""

    sign_up: SignUp
    shift: Shift
    listing: Listing
    position: int | None


def list_own(tx: Session, *, programme_id: UUID, volunteer_id: UUID, now: datetime, past: bool) -> list[OwnPlace]:
    """Return a person's sign-ups for shifts that are not over, soonest first, or for those that are, latest first."""
    rows = select(SignUp, Shift, Listing, _position()).join(Shift, Shift.id == SignUp.shift_id)
    rows = rows.join(Listing, Listing.id == Shift.listing_id)
    rows = rows.where(SignUp.volunteer_id == volunteer_id, SignUp.programme_id == programme_id)
    if past:
        rows = rows.where(Shift.ends_at <= now).order_by(Shift.starts_at.desc(), SignUp.id.desc())
    else:
        rows = rows.where(Shift.ends_at > now).order_by(Shift.starts_at, SignUp.id)
    return [OwnPlace(*row) for row in tx.execute(rows.limit(MOST_OWN))]


def _position() -> ColumnElement[int]:
    """Count who stands in the line up to here; who does not stand in it has no position."""
    other = aliased(SignUp)
    before = select(func.count()).where(other.shift_id == SignUp.shift_id, other.state == State.WAITLISTED)
    before = before.where(_in_line(other) <= _in_line(SignUp))
    return case((SignUp.state == State.WAITLISTED, before.scalar_subquery()))


def _in_line(sign_up: type[SignUp]) -> Tuple:
    """Say where a sign-up stands in its line: whoever was not drawn stands behind all who were."""
    return tuple_(func.coalesce(sign_up.drawn_place, LAST), sign_up.signed_up_at, sign_up.id)


class Counts(NamedTuple):
    """How many people stand how with one shift."""

    confirmed: int
    offered: int
    waitlisted: int


def board_of(programme_id: UUID, partner_scope: UUID | None, *, since: date, until: date) -> Select[Shift]:
    """Say which shifts are on the service dates [since, until), soonest first: all, or one partner's."""
    rows = shifts_of(programme_id, partner_scope).where(Shift.service_on >= since, Shift.service_on < until)
    return rows.order_by(Shift.starts_at, Shift.id)


def count_places(tx: Session, shift_ids: Collection[UUID]) -> dict[UUID, Counts]:
    """Count by shift who has a place, is asked, and waits; a shift for which nobody signed up is not among them."""
    states = (SignUp.state.in_(sorted(PLACED)), SignUp.state == State.OFFERED, SignUp.state == State.WAITLISTED)
    counts = (func.count().filter(state) for state in states)
    rows = select(SignUp.shift_id, *counts).where(among(SignUp.shift_id, shift_ids)).group_by(SignUp.shift_id)
    return {shift_id: Counts(*rest) for shift_id, *rest in tx.execute(rows)}
