"""HTTP door of rosters."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.listings.queries import get_shift
from services.activities.sign_ups import queries, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["sign-ups"])

Host = Annotated[Caller, Depends(may("rosters.read"))]


@router.get("/shifts/{shift_id}/roster", operation_id="show_roster")
@refuses(NotFound)
def show_roster(shift_id: UUID, caller: Host, tx: Tx) -> schemas.Roster:
    """Show who has a place on a shift as its partner may see them: by name those who consent, else by a pseudonym."""
    shift, _ = get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope)
    return schemas.Roster(items=[schemas.guest(row) for row in queries.list_roster(tx, shift_id=shift.id)])
