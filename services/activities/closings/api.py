"""HTTP door of what is said of people who were missed."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.closings import actions, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/shifts/{shift_id}", tags=["closings"])

Judge = Annotated[Caller, Depends(may("places.judge"))]


@router.post("/no-shows", operation_id="mark_no_shows")
@refuses(NotFound)
def mark_no_shows(shift_id: UUID, body: schemas.Judgement, caller: Judge, tx: Tx, now: Now) -> schemas.Judged:
    """Say of people who were missed on a shift that they did not come; they may claim that they did."""
    judgement = actions.Judgement(
        caller.programme_id, caller.partner_scope, shift_id, body.volunteer_ids, body.reason, now
    )
    moved = actions.mark_no_shows(tx, judgement)
    return schemas.Judged(volunteer_ids=[each.volunteer_id for each in moved])
