"""Reads and locks of rosters and walk-ins, with whose they are in their SQL."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.rosters.rules import State
from services.activities.rosters.tables import GuestCount, WalkIn
from services.activities.sign_ups.queries import has_place
from services.activities.sign_ups.tables import SignUp
from shared.auth.scopes import Scope
from shared.database.arrays import among
from shared.database.keyset import KeysetList, equal
from shared.database.scoped import within
from shared.errors import NotFound

WALK_INS = KeysetList(
    key=(WalkIn.id,),
    filters={
        "shift_id": equal(WalkIn.shift_id, "On this shift."),
        "partner_id": equal(WalkIn.partner_id, "With this partner."),
        "state": equal(WalkIn.state, "In this state.", takes=State),
    },
    default_sort="-id",
)


class Expected(NamedTuple):
    """Somebody who has a place on a shift, and their attendance."""

    place: SignUp
    attendance: Attendance | None


def find_expected(tx: Session, *, shift_id: UUID, volunteer_ids: Collection[UUID]) -> dict[UUID, Expected]:
    """Return how those of the people stand who have a place on a shift, by volunteer; whoever decides holds them."""
    is_theirs = and_(Attendance.shift_id == SignUp.shift_id, Attendance.volunteer_id == SignUp.volunteer_id)
    rows = select(SignUp, Attendance).outerjoin(Attendance, is_theirs)
    rows = rows.where(SignUp.shift_id == shift_id, among(SignUp.volunteer_id, volunteer_ids), has_place())
    found = tx.execute(rows.execution_options(populate_existing=True))
    return {place.volunteer_id: Expected(place, attendance) for place, attendance in found}


def walk_ins_of(scope: Scope) -> Select[WalkIn]:
    """Say which walk-ins a caller may see."""
    return select(WalkIn).where(within(scope, WalkIn.programme_id, WalkIn.partner_id, WalkIn.volunteer_id))


def get_walk_in(tx: Session, scope: Scope, walk_in_id: UUID) -> WalkIn:
    """Return one walk-in. Raises NotFound, also for one that the caller may not see."""
    walk_in = tx.scalars(walk_ins_of(scope).where(WalkIn.id == walk_in_id)).first()
    if walk_in is None:
        raise NotFound(walk_in_id=walk_in_id)
    return walk_in


def find_walk_in(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> WalkIn | None:
    """Return what is recorded of a person who walked in on a shift; whoever records it holds the person's lock."""
    rows = select(WalkIn).where(WalkIn.shift_id == shift_id, WalkIn.volunteer_id == volunteer_id)
    return tx.scalars(rows).first()


def find_guests(tx: Session, *, shift_id: UUID) -> GuestCount | None:
    """Return how many guests were counted on a shift."""
    return tx.get(GuestCount, shift_id, populate_existing=True)


def list_walk_ins_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[WalkIn]:
    """Return what partners recorded of a person who walked in, oldest first."""
    return list(tx.scalars(select(WalkIn).where(WalkIn.volunteer_id == volunteer_id).order_by(WalkIn.id).limit(limit)))
