"""HTTP door of openings."""

from typing import Annotated

from fastapi import Depends

from services.activities.openings import queries
from services.activities.openings.schemas import OPENINGS, shown_openings
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.routes import Router

router = Router(tags=["openings"])

Reader = Annotated[Caller, Depends(may("listings.read"))]


@router.get("/openings", operation_id="list_openings", response_model=OPENINGS.page, responses=OPENINGS.responses)
def list_openings(caller: Reader, asked: Annotated[Asked, Depends(OPENINGS.asked)], tx: Tx, now: Now) -> Answer:
    """Find shifts that are still to come and take people, soonest first; a partner's member sees that partner's."""
    rows = queries.openings_of(caller.programme_id, caller.partner_scope, now=now)
    return OPENINGS.answer(asked, tx, caller, rows, show=shown_openings)
