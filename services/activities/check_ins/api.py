"""HTTP door of check-in and check-out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance import schemas as attendance_schemas
from services.activities.check_ins import actions, rules, schemas
from services.activities.listings.queries import get_shift
from services.activities.listings.rules import ShiftCancelled, require_not_cancelled
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.volunteers.queries import hold_people
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.web.together import together

router = Router(prefix="/shifts/{shift_id}", tags=["check-ins"])

CodeHolder = Annotated[Caller, Depends(may("shifts.show_code"))]
Volunteer = Annotated[Caller, Depends(may("attendance.check_in"))]
SCAN = (NotFound, NotSignedUp, ShiftCancelled, rules.TooManyAttempts, rules.WrongCode, rules.CodeExpired)


@router.get("/code", operation_id="show_code")
@refuses(NotFound, ShiftCancelled)
def show_code(shift_id: UUID, caller: CodeHolder, tx: Tx, now: Now) -> schemas.ShownCode:
    """Show the code that volunteers scan now, and when it gives way to the next; for the shift's own partner only."""
    shift, _ = get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope)
    require_not_cancelled(shift.state)
    step = rules.code_step(now)
    return schemas.ShownCode(code=rules.code_at(shift.code_secret, step), valid_until=rules.step_ends_at(step))


@router.post("/check-ins", status_code=201, operation_id="check_in", response_model=attendance_schemas.Attendance)
@refuses(*SCAN, rules.CheckInClosed, rules.AlreadyCheckedIn)
@together(actions.check_in_many, hold=hold_people)
def check_in(shift_id: UUID, body: schemas.GivenCode, caller: Volunteer, now: Now) -> actions.Attempt:
    """Check in to a shift with the code that the partner shows; the same code again returns the first check-in."""
    return _attempt(shift_id, body, caller, now)


@router.post("/check-outs", operation_id="check_out", response_model=attendance_schemas.Attendance)
@refuses(*SCAN, rules.CheckOutClosed, rules.AlreadyCheckedOut, rules.NotCheckedIn, rules.CodeReused)
@together(actions.check_out_many, hold=hold_people)
def check_out(shift_id: UUID, body: schemas.GivenCode, caller: Volunteer, now: Now) -> actions.Attempt:
    """Check out of a shift with a new code; the service is settled."""
    return _attempt(shift_id, body, caller, now)


def _attempt(shift_id: UUID, body: schemas.GivenCode, caller: Caller, now: datetime) -> actions.Attempt:
    return actions.Attempt(caller.programme_id, shift_id, caller.person_id, body.code, now, body.device)
