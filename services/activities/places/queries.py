"""What is read of a person's own sign-ups, and of those on a host's shifts."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Tuple,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from services.activities.listings.queries import lock_shift, shifts_of
from services.activities.listings.rules import OFF
from services.activities.listings.tables import Listing, Shift
from services.activities.places.rules import Fill, Other
from services.activities.sign_ups.queries import find_overlap
from services.activities.sign_ups.rules import PLACED, State
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.database.packed import uuids
from shared.errors import NotFound

LAST: Final = 2**31 - 1
MOST_OWN: Final = 200
KEPT: Final = (State.CONFIRMED, State.OFFERED)


Pair = tuple[UUID, UUID]  # Of a shift and a volunteer.


class Ground(NamedTuple):
    """What is known of a person and a shift before they have a place on it."""

    shift: Shift
    person: Volunteer | None
    place: SignUp | None  # Whatever its state.
    elsewhere: Other | None  # At that time, with a place or one that is kept.


def find_grounds(tx: Session, pairs: Sequence[Pair]) -> dict[Pair, Ground]:
    """Return what is known of people and shifts, by (shift, volunteer); none for a shift that there is not."""
    shift_ids, people = uuids(shift_id for shift_id, _ in pairs), uuids(person for _, person in pairs)
    found = tx.execute(_GROUNDS, {"shifts": shift_ids, "people": people})
    return {
        (shift_id, person_id): Ground(shift, person, place, None if other[0] is None else Other(*other))
        for shift_id, person_id, shift, person, place, *other in found
    }


def _grounds() -> Select[Any]:
    """Select what is known of each given person and the shift given beside them."""
    given = func.unnest(cast(bindparam("shifts"), ARRAY(Uuid)), cast(bindparam("people"), ARRAY(Uuid)))
    pair = given.table_valued("shift_id", "volunteer_id", name="given").render_derived()
    other, kept = aliased(Shift), aliased(SignUp)
    at_that_time = other.id != Shift.id, other.starts_at < Shift.ends_at, other.ends_at > Shift.starts_at
    elsewhere = select(other.id, other.starts_at, other.ends_at).join(kept, kept.shift_id == other.id)
    elsewhere = elsewhere.where(kept.volunteer_id == pair.c.volunteer_id, kept.state.in_(KEPT), *at_that_time)
    first = elsewhere.order_by(other.starts_at, other.id).limit(1).lateral("elsewhere")
    rows = select(pair.c.shift_id, pair.c.volunteer_id, Shift, Volunteer, SignUp, *first.c)
    rows = rows.join_from(pair, Shift, Shift.id == pair.c.shift_id)
    theirs = Volunteer.id == pair.c.volunteer_id, Volunteer.programme_id == Shift.programme_id
    rows = rows.outerjoin(Volunteer, and_(*theirs))
    mine = SignUp.shift_id == pair.c.shift_id, SignUp.volunteer_id == pair.c.volunteer_id
    return rows.outerjoin(SignUp, and_(*mine)).outerjoin(first, true())


_GROUNDS = _grounds().execution_options(populate_existing=True)


def overlap(tx: Session, *, volunteer_id: UUID, shift: Shift) -> Other | None:
    """Return another shift at that time on which the person has a place."""
    found = find_overlap(tx, volunteer_id=volunteer_id, shift=shift, states=(State.CONFIRMED,))
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


def sum_fill(
    tx: Session, programme_id: UUID, partner_scope: UUID | None, *, since: date, until: date
) -> dict[UUID, Fill]:
    """Add up by partner how full the shifts on the service dates [since, until) are: of all, or of one."""
    sums = func.count(), func.sum(Shift.capacity), func.sum(Shift.taken)
    rows = select(Shift.partner_id, *sums).where(Shift.programme_id == programme_id, Shift.state.not_in(sorted(OFF)))
    rows = rows.where(Shift.service_on >= since, Shift.service_on < until)
    if partner_scope is not None:
        rows = rows.where(Shift.partner_id == partner_scope)
    found = tx.execute(rows.group_by(Shift.partner_id).order_by(Shift.partner_id))
    return {partner_id: Fill(*map(int, counts)) for partner_id, *counts in found}


def count_places(tx: Session, shift_ids: Collection[UUID]) -> dict[UUID, Counts]:
    """Count by shift who has a place, is asked, and waits; a shift for which nobody signed up is not among them."""
    states = (SignUp.state.in_(sorted(PLACED)), SignUp.state == State.OFFERED, SignUp.state == State.WAITLISTED)
    counts = (func.count().filter(state) for state in states)
    rows = select(SignUp.shift_id, *counts).where(among(SignUp.shift_id, shift_ids)).group_by(SignUp.shift_id)
    return {shift_id: Counts(*rest) for shift_id, *rest in tx.execute(rows)}
