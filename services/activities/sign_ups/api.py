"""HTTP door of sign-ups."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.sign_ups import actions, schemas, tables
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may
from shared.web.routes import Router

router = Router(tags=["sign-ups"])

Volunteer = Annotated[Caller, Depends(may("sign_ups.make"))]


@router.post("/shifts/{shift_id}/sign-ups", status_code=201, operation_id="sign_up", response_model=schemas.SignUp)
def sign_up(shift_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> tables.SignUp:
    """Take a place on a shift for oneself; again returns the same place."""
    return actions.sign_up(
        tx, programme_id=caller.programme_id, shift_id=shift_id, volunteer_id=caller.person_id, now=now
    )
