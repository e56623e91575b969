"""How places stand when their shift is closed."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, select, text
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.closings.rules import Stay
from services.activities.sign_ups.rules import State
from services.activities.sign_ups.tables import SignUp
from shared.database.arrays import among
from shared.database.packed import uuids

_STAYS = text("""
    SELECT s.id, s.listing_id, came.volunteer_id, came.scanned_at, gone.scanned_at
    FROM scan came JOIN scan gone USING (shift_id, volunteer_id) JOIN shift s ON s.id = came.shift_id
    WHERE came.shift_id = ANY(CAST(:shifts AS uuid[])) AND came.way = 'in' AND gone.way = 'out'
    ORDER BY s.id, came.volunteer_id
""")
# Other shifts of a person are found by way of their places, which are indexed by person.
_OVERLAPS = text("""
    SELECT s.id, s.listing_id, came.volunteer_id, came.scanned_at, gone.scanned_at,
        t.id, t.listing_id, other_came.volunteer_id, other_came.scanned_at, other_gone.scanned_at
    FROM scan came JOIN scan gone USING (shift_id, volunteer_id) JOIN shift s ON s.id = came.shift_id
    JOIN sign_up p ON p.volunteer_id = came.volunteer_id AND p.shift_id <> s.id
    JOIN shift t ON t.id = p.shift_id AND t.listing_id <> s.listing_id
    JOIN scan other_came ON other_came.shift_id = t.id AND other_came.volunteer_id = p.volunteer_id
    JOIN scan other_gone ON other_gone.shift_id = t.id AND other_gone.volunteer_id = p.volunteer_id
    WHERE came.shift_id = ANY(CAST(:shifts AS uuid[])) AND came.way = 'in' AND gone.way = 'out'
        AND other_came.way = 'in' AND other_gone.way = 'out'
        AND other_came.scanned_at < gone.scanned_at AND came.scanned_at < other_gone.scanned_at
    ORDER BY s.id, t.id, came.volunteer_id
""")


class Standing(NamedTuple):
    """A place that is still expected to come to something, and the attendance of its person."""

    sign_up_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    attendance_id: UUID | None
    attendance: str | None  # Its state.


def find_expected(tx: Session, shift_ids: Collection[UUID]) -> set[UUID]:
    """Return the people who have a place on these shifts of which nothing is decided."""
    rows = select(SignUp.volunteer_id).where(among(SignUp.shift_id, shift_ids), SignUp.state == State.CONFIRMED)
    return set(tx.scalars(rows))


def list_standings(tx: Session, shift_ids: Collection[UUID]) -> list[Standing]:
    """Return how the places stand of which nothing is decided, by shift and place."""
    is_theirs = and_(Attendance.shift_id == SignUp.shift_id, Attendance.volunteer_id == SignUp.volunteer_id)
    rows = select(SignUp.id, SignUp.shift_id, SignUp.volunteer_id, Attendance.id, Attendance.state)
    rows = rows.outerjoin(Attendance, is_theirs)
    rows = rows.where(among(SignUp.shift_id, shift_ids), SignUp.state == State.CONFIRMED)
    return [Standing(*row) for row in tx.execute(rows.order_by(SignUp.shift_id, SignUp.id))]


def list_stays(tx: Session, shift_ids: Collection[UUID]) -> list[Stay]:
    """Return from when to when people were on these shifts, by their scans in and out."""
    return [Stay(*row) for row in tx.execute(_STAYS, {"shifts": uuids(shift_ids)})]


def list_other_stays(tx: Session, shift_ids: Collection[UUID]) -> list[tuple[Stay, Stay]]:
    """Return each stay on these shifts that overlaps with one of the same person on another shift, and that one."""
    found = tx.execute(_OVERLAPS, {"shifts": uuids(shift_ids)})
    return [(Stay(*row[:5]), Stay(*row[5:])) for row in found]


def find_missed(tx: Session, *, shift_id: UUID, volunteer_ids: Collection[UUID]) -> list[UUID]:
    """Return the sign-ups of these people who were missed on a shift."""
    rows = select(SignUp.id).where(SignUp.shift_id == shift_id, among(SignUp.volunteer_id, volunteer_ids))
    return list(tx.scalars(rows.where(SignUp.state == State.MISSED).order_by(SignUp.id)))
