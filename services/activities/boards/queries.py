"""What shifts' boards show: who has a place, by name who consents to that now, and where each of them is."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.boards.rules import Presence, is_over, presence
from services.activities.listings.queries import get_shift
from services.activities.listings.tables import Shift
from services.activities.rosters.tables import GuestCount
from services.activities.sign_ups.queries import Guest, guest_of, rosters_of
from shared.database.arrays import among


class Line(NamedTuple):
    """Somebody with a place on a shift, and where they are."""

    guest: Guest
    presence: Presence
    checked_in_at: datetime | None
    checked_out_at: datetime | None


class Board(NamedTuple):
    """How a shift stands: its state, how many guests were counted, and each place's line by the sign-up's id."""

    shift_id: UUID
    state: str
    is_over: bool
    guests: int | None
    lines: dict[UUID, Line]


def get_board(tx: Session, *, programme_id: UUID, shift_id: UUID, partner_id: UUID | None) -> Board:
    """Return the board of a shift; `partner_id` limits it to one partner's. Raises NotFound."""
    shift, _ = get_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    return find_boards(tx, [shift.id])[shift.id]


def find_boards(tx: Session, shift_ids: Collection[UUID]) -> dict[UUID, Board]:
    """Return the boards of these shifts by id. One statement, and so one state of the database, for all of them."""
    place = rosters_of(shift_ids).subquery("roster")
    is_theirs = and_(Attendance.shift_id == place.c.shift_id, Attendance.volunteer_id == place.c.volunteer_id)
    shift = (Shift.id, Shift.state, Shift.concluded_at, GuestCount.guests)
    rows = select(*shift, place, Attendance.state, Attendance.checked_in_at, Attendance.checked_out_at)
    rows = rows.outerjoin(GuestCount, GuestCount.shift_id == Shift.id).outerjoin(place, place.c.shift_id == Shift.id)
    rows = rows.outerjoin(Attendance, is_theirs).where(among(Shift.id, shift_ids))
    found: dict[UUID, Board] = {}
    for shift_id, state, concluded_at, guests, _, *line in tx.execute(rows.order_by(Shift.id, place.c.number)):
        is_shut = is_over(state, is_concluded=concluded_at is not None)
        board = found.setdefault(shift_id, Board(shift_id, state, is_shut, guests, {}))
        if line[0] is not None:
            guest, (attended, *stay) = guest_of(line[:6]), line[6:]
            board.lines[guest.sign_up_id] = Line(guest, presence(guest.state, attended), *stay)
    return found
