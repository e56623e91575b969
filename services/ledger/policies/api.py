"""The HTTP door to policy versions."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.ledger.policies import actions, queries, schemas, tables
from services.ledger.policies.rules import (
    AlreadyApproved,
    OwnPolicyApproved,
    PolicyBoundsCrossed,
    PolicyOverlap,
    PolicyPeriodEmpty,
)
from services.ledger.policies.schemas import POLICY_VERSIONS
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/policy-versions", tags=["policies"])

Maker = Annotated[Caller, Depends(may("policies.propose"))]
Approver = Annotated[Caller, Depends(may("policies.approve"))]
Reader = Annotated[Caller, Depends(may("policies.read"))]


@router.post("", status_code=201, operation_id="propose_policy_version", response_model=schemas.PolicyVersion)
@refuses(PolicyPeriodEmpty, PolicyBoundsCrossed)
def propose_policy_version(body: schemas.ProposePolicyVersion, caller: Maker, tx: Tx, now: Now) -> tables.PolicyVersion:
    """Propose what an hour of service is worth; it has no effect until a second person approves it."""
    proposal = actions.Proposal(**body.model_dump())
    return actions.propose(tx, proposal, programme_id=caller.programme_id, maker_id=caller.person_id, now=now)


@router.get("/{policy_version_id}", operation_id="get_policy_version", response_model=schemas.PolicyVersion)
@refuses(NotFound)
def get_policy_version(policy_version_id: UUID, caller: Reader, tx: Tx) -> tables.PolicyVersion:
    """Show a policy version, as whoever is to approve it must have read it."""
    return queries.get_version(tx, policy_version_id, programme_id=caller.programme_id)


@router.post(
    "/{policy_version_id}/approve", operation_id="approve_policy_version", response_model=schemas.PolicyVersion
)
@refuses(NotFound, AlreadyApproved, OwnPolicyApproved, PolicyOverlap)
def approve_policy_version(
    policy_version_id: UUID, caller: Approver, tx: Tx, now: Now, seen: Read
) -> tables.PolicyVersion:
    """Put a policy version that somebody else proposed in force."""
    return actions.approve(
        tx, policy_version_id, programme_id=caller.programme_id, approver_id=caller.person_id, seen=seen, now=now
    )


@router.get(
    "", operation_id="list_policy_versions", response_model=POLICY_VERSIONS.page, responses=POLICY_VERSIONS.responses
)
def list_policy_versions(caller: Reader, asked: Annotated[Asked, Depends(POLICY_VERSIONS.asked)], tx: Tx) -> Answer:
    """List the programme's policy versions, proposals among them."""
    return POLICY_VERSIONS.answer(asked, tx, caller, queries.versions_of(caller.programme_id))
