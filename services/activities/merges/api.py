"""HTTP door of merges."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.merges import actions, queries, schemas, tables
from services.activities.merges.rules import MergeBlocked, MergeDecided, MergeProposed, OwnMergeApproved, SameRecord
from services.activities.merges.schemas import MERGES
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/merges", tags=["merges"])

Maker = Annotated[Caller, Depends(may("merges.propose"))]
Decider = Annotated[Caller, Depends(may("merges.decide"))]
Reader = Annotated[Caller, Depends(may("merges.read"))]


@router.post("", status_code=201, operation_id="propose_merge", response_model=schemas.Merge)
@refuses(NotFound, SameRecord, MergeProposed)
def propose_merge(body: schemas.NewMerge, caller: Maker, tx: Tx, now: Now) -> tables.Merge:
    """Say that two records are one person's; nothing happens before another person approves it."""
    return actions.propose(
        tx, programme_id=caller.programme_id, by=caller.person_id, now=now, **body.model_dump()
    )  # fmt: skip


@router.get("", operation_id="list_merges", response_model=MERGES.page, responses=MERGES.responses)
def list_merges(caller: Reader, asked: Annotated[Asked, Depends(MERGES.asked)], tx: Tx) -> Answer:
    """List the programme's merges, newest first, proposals among them."""
    return MERGES.answer(asked, tx, caller, queries.merges_of(caller.programme_id))


@router.get("/{merge_id}", operation_id="get_merge", response_model=schemas.Merge)
@refuses(NotFound)
def get_merge(merge_id: UUID, caller: Reader, tx: Tx) -> tables.Merge:
    """Show a merge, as whoever is to approve it must have read it."""
    return queries.get_merge(tx, programme_id=caller.programme_id, merge_id=merge_id)


@router.post("/{merge_id}/approve", operation_id="approve_merge", response_model=schemas.Merge)
@refuses(NotFound, MergeDecided, OwnMergeApproved, MergeBlocked)
def approve_merge(merge_id: UUID, caller: Decider, tx: Tx, now: Now, seen: Read) -> tables.Merge:
    """Merge two records, as somebody else proposed; minutes and donations follow. There is no way back."""
    return actions.approve(tx, _decision(merge_id, caller, seen, now))


@router.post("/{merge_id}/decline", operation_id="decline_merge", response_model=schemas.Merge)
@refuses(NotFound, MergeDecided)
def decline_merge(
    merge_id: UUID, body: schemas.Declining, caller: Decider, tx: Tx, now: Now, seen: Read
) -> tables.Merge:
    """Let two records be two; whoever proposed it may take it back so."""
    return actions.decline(tx, _decision(merge_id, caller, seen, now), because=body.reason)


def _decision(merge_id: UUID, caller: Caller, seen: Seen, now: datetime) -> actions.Decision:
    return actions.Decision(caller.programme_id, merge_id, seen, caller.person_id, now)
