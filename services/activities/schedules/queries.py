"""What is read and locked when shifts are decided on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from services.activities.listings.rules import ShiftState
from services.activities.listings.tables import Shift
from services.activities.sign_ups.rules import PENDING, State
from services.activities.sign_ups.tables import SignUp
from shared.database.arrays import among


def list_pending(tx: Session, shift_ids: Collection[UUID], *, also: Collection[State] = ()) -> Sequence[UUID]:
    """Return the sign-ups for these shifts that are not at an end, and those in states that are named `also`."""
    wanted = sorted(PENDING.union(also))
    return tx.scalars(select(SignUp.id).where(among(SignUp.shift_id, shift_ids), SignUp.state.in_(wanted))).all()


def list_people(tx: Session, shift_id: UUID) -> Sequence[UUID]:
    """Return who has a place on a shift, or is kept one."""
    rows = select(SignUp.volunteer_id).where(SignUp.shift_id == shift_id)
    return tx.scalars(rows.where(SignUp.state.in_((State.CONFIRMED, State.OFFERED)))).all()


def list_overlapping(tx: Session, shift: Shift) -> Sequence[UUID]:
    """Return the sign-ups with a place on a shift of people who have one elsewhere at that time, half-open."""
    other, elsewhere = aliased(Shift), aliased(SignUp)
    has = (State.CONFIRMED, State.OFFERED)
    rows = select(SignUp.id).where(SignUp.shift_id == shift.id, SignUp.state.in_(has))
    places = select(elsewhere.id).join(other, other.id == elsewhere.shift_id)
    places = places.where(elsewhere.volunteer_id == SignUp.volunteer_id, elsewhere.state.in_(has))
    places = places.where(other.id != shift.id, other.starts_at < shift.ends_at, other.ends_at > shift.starts_at)
    return tx.scalars(rows.where(places.exists()).order_by(SignUp.id)).all()


def lock_short(tx: Session, *, now: datetime, until: datetime, limit: int) -> list[Shift]:
    """Lock shifts that start by then with fewer people than they need, of which that was not told yet."""
    return _lock(tx, Shift.short_at.is_(None), Shift.taken < Shift.minimum, now=now, until=until, limit=limit)


def lock_undecided(tx: Session, *, now: datetime, until: datetime, limit: int) -> list[Shift]:
    """Lock shifts that start by then, need more than one person, and of which nobody was asked whether they happen."""
    asked = Shift.decision_asked_at.is_(None), Shift.minimum > 1
    return _lock(tx, *asked, now=now, until=until, limit=limit)


def _lock(
    tx: Session, *conditions: ColumnElement[bool], now: datetime, until: datetime, limit: int
) -> list[Shift]:  # fmt: skip
    rows = select(Shift).where(Shift.state == ShiftState.OPEN, Shift.starts_at > now, Shift.starts_at <= until)
    rows = rows.where(*conditions).order_by(Shift.id).limit(limit)
    return list(tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)))
