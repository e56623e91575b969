"""The event door to donations."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.ledger.donations import actions
from shared import bus, clock
from shared.events.activities import AttendanceRevised, AttendanceSettled, AttendanceVoided, Attended


@bus.on(AttendanceSettled, AttendanceRevised, AttendanceVoided, batch=500, keep=True)
def accrue_donations(tx: Session, events: Sequence[Attended]) -> None:
    """Owe partners for settled service, and correct what is owed; all of the batch or none of it."""
    actions.accrue(tx, events, now=clock.now())
