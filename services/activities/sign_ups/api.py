"""HTTP door of sign-ups."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.listings.queries import get_shift
from services.activities.listings.rules import ShiftCancelled
from services.activities.sign_ups import actions, queries, schemas, tables
from services.activities.sign_ups.rules import ShiftFull, ShiftOver
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["sign-ups"])

Volunteer = Annotated[Caller, Depends(may("sign_ups.make"))]
Host = Annotated[Caller, Depends(may("rosters.read"))]


@router.post("/shifts/{shift_id}/sign-ups", status_code=201, operation_id="sign_up", response_model=schemas.SignUp)
@refuses(NotFound, ShiftCancelled, ShiftOver, ShiftFull)
def sign_up(shift_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> tables.SignUp:
    """Take a place on a shift for oneself; again returns the same place."""
    return actions.sign_up(
        tx, programme_id=caller.programme_id, shift_id=shift_id, volunteer_id=caller.person_id, now=now
    )


@router.get("/shifts/{shift_id}/roster", operation_id="show_roster")
@refuses(NotFound)
def show_roster(shift_id: UUID, caller: Host, tx: Tx) -> schemas.Roster:
    """Show who has a place on a shift as its partner may see them: by name those who consent, else by a pseudonym."""
    shift, _ = get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope)
    return schemas.Roster(items=[schemas.guest(row) for row in queries.list_roster(tx, shift_id=shift.id)])
