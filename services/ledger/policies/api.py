"""The HTTP door to policy versions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.ledger.policies import actions, queries, schemas, tables
from services.ledger.policies.rules import (
    AlreadyApproved,
    OwnPolicyApproved,
    PolicyBoundsCrossed,
    PolicyOverlap,
    PolicyPeriodEmpty,
)
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Limit
from shared.web.refusals import refuses

router = APIRouter(prefix="/policy-versions", tags=["policies"])

Maker = Annotated[Caller, Depends(may("policies.propose"))]
Approver = Annotated[Caller, Depends(may("policies.approve"))]
Reader = Annotated[Caller, Depends(may("policies.read"))]


@router.post("", status_code=201, operation_id="propose_policy_version", response_model=schemas.PolicyVersion)
@refuses(PolicyPeriodEmpty, PolicyBoundsCrossed)
def propose_policy_version(body: schemas.ProposePolicyVersion, caller: Maker, tx: Tx, now: Now) -> tables.PolicyVersion:
    """Propose what an hour of service is worth; it has no effect until a second person approves it."""
    proposal = actions.Proposal(**body.model_dump())
    return actions.propose(tx, proposal, programme_id=caller.programme_id, maker_id=caller.person_id, now=now)


@router.post("/{version_id}/approve", operation_id="approve_policy_version", response_model=schemas.PolicyVersion)
@refuses(NotFound, AlreadyApproved, OwnPolicyApproved, PolicyOverlap)
def approve_policy_version(version_id: UUID, caller: Approver, tx: Tx, now: Now) -> tables.PolicyVersion:
    """Put a policy version that somebody else proposed in force."""
    return actions.approve(tx, version_id, programme_id=caller.programme_id, approver_id=caller.person_id, now=now)


@router.get("", operation_id="list_policy_versions", response_model=schemas.PolicyVersionPage)
def list_policy_versions(caller: Reader, tx: Tx, after: UUID | None = None, limit: Limit = 50) -> queries.Page:
    """List the programme's policy versions, proposals among them."""
    return queries.list_versions(tx, programme_id=caller.programme_id, after=after, limit=limit)
