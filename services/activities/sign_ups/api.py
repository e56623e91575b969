"""HTTP door of sign-ups."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.activities.listings.rules import ShiftCancelled
from services.activities.sign_ups import actions, schemas, tables
from services.activities.sign_ups.rules import ShiftFull, ShiftOver
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses

router = APIRouter(tags=["sign-ups"])

Volunteer = Annotated[Caller, Depends(may("sign_ups.make"))]


@router.post("/shifts/{shift_id}/sign-ups", status_code=201, operation_id="sign_up", response_model=schemas.SignUp)
@refuses(NotFound, ShiftCancelled, ShiftOver, ShiftFull)
def sign_up(shift_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> tables.SignUp:
    """Take a place on a shift for oneself; again returns the same place."""
    return actions.sign_up(
        tx, programme_id=caller.programme_id, shift_id=shift_id, volunteer_id=caller.person_id, now=now
    )
