"""HTTP door of work that is handed in: what is owed, and what was handed in."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.deliverables import queries, schemas
from services.activities.deliverables.schemas import DELIVERABLES
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["deliverables"])

Reader = Annotated[Caller, Depends(may("deliverables.read"))]


@router.get(
    "/deliverables", operation_id="list_deliverables", response_model=DELIVERABLES.page,
    responses=DELIVERABLES.responses,
)  # fmt: skip
def list_deliverables(caller: Reader, asked: Annotated[Asked, Depends(DELIVERABLES.asked)], tx: Tx) -> Answer:
    """List work that is handed in: staff sees all, a partner what is for it, others their own."""
    return DELIVERABLES.answer(asked, tx, caller, queries.deliverables_of(caller.scope))


@router.get("/deliverables/{deliverable_id}", operation_id="get_deliverable", response_model=schemas.DeliverableInFull)
@refuses(NotFound)
def get_deliverable(deliverable_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show the work of one place, with everything that was handed in and what was said of it."""
    row = queries.get_deliverable(tx, caller.scope, deliverable_id)
    return Tagged(row, schemas.in_full(row, queries.list_submissions(tx, row.id)))
