"""HTTP door of claims."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance.rules import BadTimes, InTheFuture
from services.activities.claims import actions, queries, rules, schemas, tables
from services.activities.claims.schemas import CLAIMS
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.volunteers.rules import RecordMerged
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.roles import Reach
from shared.web.doors import Now, Tx, may
from shared.web.fields import Day
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["claims"])

Volunteer = Annotated[Caller, Depends(may("claims.make"))]
Host = Annotated[Caller, Depends(may("claims.make_for_others"))]
Party = Annotated[Caller, Depends(may("claims.answer"))]
Reader = Annotated[Caller, Depends(may("claims.read"))]
Reviewer = Annotated[Caller, Depends(may("claims.decide"))]
Counter = Annotated[Caller, Depends(may("claims.count"))]
ANSWER = (NotFound, RecordMerged, rules.ClaimSettled, rules.ClaimTooLate)
DECISION = (*ANSWER, rules.NotForReview, rules.SameReviewer, rules.OwnClaim)


@router.post(
    "/shifts/{shift_id}/claims", status_code=201, operation_id="claim_attendance", response_model=schemas.Claim
)
@refuses(NotFound, NotSignedUp, rules.NothingMissed, rules.ClaimExists, rules.ClaimTooLate, BadTimes, InTheFuture)
def claim_attendance(shift_id: UUID, body: schemas.NewClaim, caller: Volunteer, tx: Tx, now: Now) -> tables.Claim:
    """Claim for oneself a check-in or check-out that was missed; the partner is asked. Again returns the same claim."""
    claimant = actions.Claimant(caller.programme_id, caller.person_id, rules.Side.VOLUNTEER, None, now)
    return actions.claim_own(tx, claimant, shift_id=shift_id, said=schemas.said(body, caller.person_id))


@router.post("/shifts/{shift_id}/partner-claims", status_code=201, operation_id="claim_for_others")
@refuses(NotFound)
def claim_for_others(shift_id: UUID, body: schemas.NewClaims, caller: Host, tx: Tx, now: Now) -> schemas.ClaimOutcomes:
    """Claim for people what was missed on a shift of one's own; each of them is asked. Again changes nothing."""
    claimant = actions.Claimant(caller.programme_id, caller.person_id, rules.Side.PARTNER, caller.partner_scope, now)
    said = [schemas.said(item, item.volunteer_id) for item in body.items]
    return schemas.outcomes(body.items, actions.claim_many(tx, claimant, shift_id=shift_id, said=said))


@router.get("/claims", operation_id="list_claims", response_model=CLAIMS.page, responses=CLAIMS.responses)
def list_claims(caller: Reader, asked: Annotated[Asked, Depends(CLAIMS.asked)], tx: Tx) -> Answer:
    """List claims: staff sees all, and its queue by `review`; a partner those on its shifts, others their own."""
    return CLAIMS.answer(asked, tx, caller, queries.claims_of(caller.scope))


@router.get("/claims/recovery", operation_id="count_recovery")
def count_recovery(since: Day, until: Day, caller: Counter, tx: Tx) -> schemas.Recoveries:
    """Count what was missed on the service dates from `since` up to, not including, `until`, and what became of it."""
    rows = queries.list_recovery(tx, caller.scope, since=since, until=until)
    items = [schemas.Recovery.model_validate(row) for row in rows]
    return schemas.Recoveries(since=since, until=until, items=items)


@router.get("/claims/evidence", operation_id="sum_evidence")
def sum_evidence(since: Day, until: Day, caller: Counter, tx: Tx) -> schemas.Evidence:
    """Sum by month how much is proven otherwise than by scans; beyond 30 % a reviewer looks at each claim."""
    rows = queries.list_evidence(tx, caller.scope, since=since, until=until)
    items = [schemas.MonthsEvidence.model_validate(row) for row in rows]
    return schemas.Evidence(since=since, until=until, items=items)


@router.get("/claims/{claim_id}", operation_id="get_claim", response_model=schemas.Claim)
@refuses(NotFound)
def get_claim(claim_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one claim."""
    claim = queries.get_claim(tx, caller.scope, claim_id)
    return Tagged(claim, claim)


@router.post("/claims/{claim_id}/confirm", operation_id="confirm_claim", response_model=schemas.Claim)
@refuses(*ANSWER, rules.OwnClaim, rules.NothingMissed)
def confirm_claim(claim_id: UUID, caller: Party, tx: Tx, now: Now) -> tables.Claim:
    """Confirm, with one tap, what the other side claims; again changes nothing."""
    return actions.confirm(tx, _answer(claim_id, caller, now))


@router.post("/claims/{claim_id}/object", operation_id="object_to_claim", response_model=schemas.Claim)
@refuses(*ANSWER, rules.OwnClaim)
def object_to_claim(claim_id: UUID, body: schemas.Objection, caller: Party, tx: Tx, now: Now) -> tables.Claim:
    """Say that it was not as the other side claims; a reviewer decides."""
    return actions.object_to(tx, _answer(claim_id, caller, now), objection=body.reason)


@router.post("/claims/{claim_id}/appeal", operation_id="appeal_claim", response_model=schemas.Claim)
@refuses(*ANSWER, rules.AppealedOnce)
def appeal_claim(claim_id: UUID, body: schemas.Objection, caller: Party, tx: Tx, now: Now) -> tables.Claim:
    """Ask, once, that another reviewer looks at a claim that was rejected or has expired."""
    return actions.appeal(tx, _answer(claim_id, caller, now), words=body.reason)


@router.post("/claims/{claim_id}/uphold", operation_id="uphold_claim", response_model=schemas.Claim)
@refuses(*DECISION, rules.NothingMissed)
def uphold_claim(
    claim_id: UUID, body: schemas.Decision, caller: Reviewer, tx: Tx, now: Now, seen: Read
) -> tables.Claim:
    """Decide for a claim, on the evidence; the attendance is settled."""
    answer = _answer(claim_id, caller, now)
    return actions.decide(tx, answer, command=rules.Command.UPHOLD, reason=body.reason, seen=seen)


@router.post("/claims/{claim_id}/reject", operation_id="reject_claim", response_model=schemas.Claim)
@refuses(*DECISION)
def reject_claim(
    claim_id: UUID, body: schemas.Decision, caller: Reviewer, tx: Tx, now: Now, seen: Read
) -> tables.Claim:
    """Decide against a claim, on the evidence."""
    answer = _answer(claim_id, caller, now)
    return actions.decide(tx, answer, command=rules.Command.REJECT, reason=body.reason, seen=seen)


def _answer(claim_id: UUID, caller: Caller, now: datetime) -> actions.Answer:
    sides = {Reach.PERSON: rules.Side.VOLUNTEER, Reach.PARTNER: rules.Side.PARTNER}
    return actions.Answer(caller.scope, claim_id, caller.person_id, sides.get(caller.reach), now)
