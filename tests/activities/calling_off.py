"""Calling a shift off, as its host does the day before."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.schedules.actions import Decision, cancel
from shared.seen import ANYTHING
from tests.factories.activities import NINE, PROGRAMME


def call_off(tx: Session, shift_id: UUID, *, programme_id: UUID = PROGRAMME, because: str = "台风") -> Shift:
    return cancel(tx, Decision(programme_id, shift_id, None, ANYTHING, NINE - timedelta(days=1)), because=because)
