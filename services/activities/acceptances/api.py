"""HTTP door of what a partner says of work that was handed in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.acceptances import actions, rules, schemas
from services.activities.deliverables.rules import DeliverableClosed, NothingOwed, RevisionsUsedUp
from services.activities.deliverables.schemas import Deliverable
from services.activities.deliverables.tables import Deliverable as Row
from services.activities.volunteers.rules import RecordMerged
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["acceptances"])

Host = Annotated[Caller, Depends(may("deliverables.judge"))]
ANSWER = (NotFound, RecordMerged, rules.OwnDeliverable, DeliverableClosed, NothingOwed)


@router.post("/deliverable-acceptances", operation_id="accept_deliverables")
@refuses(NotFound)
def accept_deliverables(body: schemas.AcceptedMany, caller: Host, tx: Tx, now: Now) -> schemas.AcceptanceOutcomes:
    """Accept work whole, up to 200 at once; each for itself. Again changes nothing."""
    asked = [(item.deliverable_id, item.submission) for item in body.items]
    return schemas.outcomes(body.items, actions.accept_many(tx, _judge(caller, now), asked))


@router.post("/deliverables/{deliverable_id}/accept", operation_id="accept_deliverable", response_model=Deliverable)
@refuses(*ANSWER, rules.BadPieces, rules.PartNeedsReason)
def accept_deliverable(
    deliverable_id: UUID, body: schemas.Acceptance, caller: Host, tx: Tx, now: Now, seen: Read
) -> Row:
    """Accept what was handed in, or so many pieces of it: their agreed minutes count. Again changes nothing."""
    return actions.accept(
        tx, _judge(caller, now), deliverable_id, pieces=body.pieces, reason=body.reason, seen=seen
    )  # fmt: skip


@router.post("/deliverables/{deliverable_id}/reject", operation_id="reject_deliverable", response_model=Deliverable)
@refuses(*ANSWER)
def reject_deliverable(deliverable_id: UUID, body: schemas.Verdict, caller: Host, tx: Tx, now: Now, seen: Read) -> Row:
    """Accept nothing of what was handed in; the service stays, and is not matched."""
    return actions.reject(tx, _judge(caller, now), deliverable_id, reason=body.reason, seen=seen)


@router.post(
    "/deliverables/{deliverable_id}/request-revision",
    operation_id="request_deliverable_revision",
    response_model=Deliverable,
)
@refuses(*ANSWER, RevisionsUsedUp)
def request_deliverable_revision(
    deliverable_id: UUID, body: schemas.Verdict, caller: Host, tx: Tx, now: Now, seen: Read
) -> Row:
    """Ask for the work once more, twice at most; it has a new due date."""
    return actions.request_revision(tx, _judge(caller, now), deliverable_id, reason=body.reason, seen=seen)


def _judge(caller: Caller, now: datetime) -> actions.Judge:
    return actions.Judge(caller.scope, caller.person_id, now)
