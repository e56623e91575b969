"""Event door of kits: what becomes of places and shifts is told by this service, and heard by it as by any other."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.activities.kits import actions
from shared import bus, clock
from shared.events.activities_shifts import ShiftRescheduled
from shared.events.activities_sign_ups import (
    OfSignUp,
    SignUpCancelled,
    SignUpExcused,
    SignUpLateWithdrawn,
    SignUpWithdrawn,
)


@bus.on(SignUpWithdrawn, SignUpLateWithdrawn, SignUpExcused, SignUpCancelled, batch=200)
def release_kits(tx: Session, events: Sequence[OfSignUp]) -> None:
    """Send no kit to who does not come, or is not awaited any more."""
    actions.release(tx, {event.sign_up_id for event in events}, now=clock.now())


@bus.on(ShiftRescheduled, batch=100)
def follow_shifts(tx: Session, events: Sequence[ShiftRescheduled]) -> None:
    """Let kits be due back when their shift is over as it is planned now."""
    actions.follow(tx, {event.shift_id for event in events})
