"""Reads and locks of draws."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.draws.tables import Draw
from services.activities.listings.queries import get_shift
from services.activities.listings.rules import AHEAD
from services.activities.listings.tables import Shift
from services.activities.sign_ups.rules import State
from services.activities.sign_ups.tables import SignUp
from shared.errors import NotFound


def find_draw(tx: Session, shift_id: UUID) -> Draw | None:
    """Return how a shift's places are drawn, if they are."""
    return tx.get(Draw, shift_id, populate_existing=True)


def get_draw(tx: Session, *, programme_id: UUID, shift_id: UUID, partner_id: UUID | None) -> Draw:
    """Return how a shift's places are drawn; `partner_id` limits it to one partner's. Raises NotFound."""
    shift, _ = get_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    draw = find_draw(tx, shift.id)
    if draw is None:
        raise NotFound(shift_id=shift_id)
    return draw


def has_sign_ups(tx: Session, shift_id: UUID) -> bool:
    """Say whether anybody has signed up for a shift, in whatever state; the shift is locked."""
    return tx.scalar(select(SignUp.id).where(SignUp.shift_id == shift_id).limit(1)) is not None


def lock_due(tx: Session, *, now: datetime, limit: int) -> list[Shift]:
    """Lock shifts whose draw is due and that are still to come, in order of id."""
    due = select(Draw.shift_id).where(Draw.drawn_at.is_(None), Draw.draws_at <= now)
    rows = select(Shift).where(Shift.id.in_(due), Shift.awaits_draw, Shift.state.in_(sorted(AHEAD)))
    rows = rows.order_by(Shift.id).limit(limit).with_for_update(key_share=True)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def list_entries(tx: Session, shift_id: UUID) -> Sequence[UUID]:
    """Return the sign-ups that stand in a shift's line."""
    rows = select(SignUp.id).where(SignUp.shift_id == shift_id, SignUp.state == State.WAITLISTED)
    return tx.scalars(rows).all()


def list_drawn(tx: Session, shift_id: UUID, *, limit: int) -> Sequence[UUID]:
    """Return the sign-ups of a shift in the order in which they were drawn."""
    rows = select(SignUp.id).where(SignUp.shift_id == shift_id, SignUp.drawn_place.is_not(None))
    return tx.scalars(rows.order_by(SignUp.drawn_place).limit(limit)).all()
