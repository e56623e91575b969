"""HTTP door of proposals."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session

from services.activities.checklists.schemas import Content, Finding, NewContent
from services.activities.partners.rules import (
    NoAgreement,
    PartnerBarred,
    PartnerPaused,
    QuotaUsedUp,
    UnknownPartner,
)
from services.activities.proposals import actions, queries, rules, schemas
from services.activities.proposals.actions import By
from services.activities.proposals.schemas import PROPOSALS
from services.activities.proposals.tables import Proposal
from services.activities.recurrences.rules import BadRepetition, TooManyShifts, UnclearLocalTime
from shared.auth.callers import Caller, OtherPartner
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.zones import UnknownTimezone

router = Router(tags=["proposals"])

Writer = Annotated[Caller, Depends(may("proposals.write"))]
Reader = Annotated[Caller, Depends(may("proposals.read"))]
PLAN = (UnknownTimezone, BadRepetition, TooManyShifts, UnclearLocalTime)


@router.post(
    "/proposals", status_code=201, operation_id="draft_proposal", response_model=schemas.WholeProposal
)  # fmt: skip
@refuses(OtherPartner, UnknownPartner, rules.UnknownRound, rules.SubmissionClosed, *PLAN)
def draft_proposal(body: schemas.NewProposal, caller: Writer, tx: Tx, now: Now) -> Tagged:
    """Begin a proposal for a round; a partner's member for that partner only, an operator for any."""
    caller.require_partner(body.partner_id)
    proposal = actions.draft(
        tx, _by(caller, now), partner_id=body.partner_id, round_id=body.round_id, content=body.content.told()
    )
    return _whole(tx, proposal, now)


@router.get("/proposals", operation_id="list_proposals", response_model=PROPOSALS.page, responses=PROPOSALS.responses)
def list_proposals(caller: Reader, asked: Annotated[Asked, Depends(PROPOSALS.asked)], tx: Tx) -> Answer:
    """List proposals, newest first; a partner's member sees that partner's."""
    return PROPOSALS.answer(asked, tx, caller, queries.listed(caller.programme_id, caller.partner_scope))


@router.get("/proposals/{proposal_id}", operation_id="get_proposal", response_model=schemas.WholeProposal)
@refuses(NotFound)
def get_proposal(proposal_id: UUID, caller: Reader, tx: Tx, now: Now) -> Tagged:
    """Show one proposal with all that it says, and what the automatic checklist finds in it."""
    return _whole(tx, _proposal(tx, caller, proposal_id), now)


@router.get("/proposals/{proposal_id}/similar", operation_id="list_similar_proposals")
@refuses(NotFound)
def list_similar_proposals(proposal_id: UUID, caller: Reader, tx: Tx, now: Now) -> schemas.AllAlike:
    """Show the proposals of late that are likest to one, but those of its series; a partner's member its partner's."""
    proposal = _proposal(tx, caller, proposal_id)
    found = queries.find_alike(tx, proposal, partner_id=caller.partner_scope, before=now)
    return schemas.AllAlike(items=[_alike(each) for each in found])


@router.put("/proposals/{proposal_id}", operation_id="edit_proposal", response_model=schemas.WholeProposal)
@refuses(NotFound, rules.WrongProposalState, *PLAN)
def edit_proposal(
    proposal_id: UUID, body: NewContent, caller: Writer, tx: Tx, now: Now, seen: Read
) -> Tagged:  # fmt: skip
    """Put another content in the place of a draft's, or of a proposal's that was sent back."""
    return _whole(tx, actions.edit(tx, _by(caller, now), proposal_id, body.told(), seen=seen), now)


@router.post(
    "/proposals/{proposal_id}/submissions", status_code=201, operation_id="submit_proposal",
    response_model=schemas.WholeProposal,
)  # fmt: skip
@refuses(
    NotFound, rules.WrongProposalState, rules.SubmissionClosed, rules.TooManySubmissions, rules.HasFindings,
    PartnerBarred, NoAgreement, PartnerPaused, QuotaUsedUp,
)  # fmt: skip
def submit_proposal(proposal_id: UUID, caller: Writer, tx: Tx, now: Now, seen: Read) -> Tagged:
    """Hand a proposal in, or in again; what the automatic checklist blocks is refused, with every finding."""
    return _whole(tx, actions.submit(tx, _by(caller, now), proposal_id, seen=seen), now)


@router.post(
    "/proposals/{proposal_id}/withdrawal", operation_id="withdraw_proposal", response_model=schemas.WholeProposal
)  # fmt: skip
@refuses(NotFound, rules.WrongProposalState)
def withdraw_proposal(
    proposal_id: UUID, body: schemas.Withdrawal, caller: Writer, tx: Tx, now: Now, seen: Read
) -> Tagged:  # fmt: skip
    """Give a proposal up before it is decided; again changes nothing."""
    proposal = actions.withdraw(tx, _by(caller, now), proposal_id, because=body.reason, seen=seen)
    return _whole(tx, proposal, now)


@router.post(
    "/proposals/{proposal_id}/clones", status_code=201, operation_id="clone_proposal",
    response_model=schemas.WholeProposal,
)  # fmt: skip
@refuses(NotFound, rules.UnknownRound, rules.SubmissionClosed, rules.TooFarAhead)
def clone_proposal(proposal_id: UUID, body: schemas.Cloning, caller: Writer, tx: Tx, now: Now) -> Tagged:
    """Repeat a proposal in another round as a draft of the same series, its shifts so many days later."""
    return _whole(tx, actions.clone(tx, _by(caller, now), proposal_id, round_id=body.round_id), now)


def _by(caller: Caller, now: datetime) -> By:
    return By(caller.programme_id, caller.person_id, caller.partner_scope, now)


def _proposal(tx: Session, caller: Caller, proposal_id: UUID) -> Proposal:
    return queries.get_proposal(
        tx, programme_id=caller.programme_id, proposal_id=proposal_id, partner_id=caller.partner_scope
    )


def _whole(tx: Session, proposal: Proposal, now: datetime) -> Tagged:
    tx.flush()
    shown = schemas.Proposal.model_validate(proposal)
    findings = [Finding.of(each) for each in actions.findings_of(tx, proposal, now=now)]
    content = Content.model_validate(proposal.content)
    return Tagged(proposal, schemas.WholeProposal(**shown.model_dump(), content=content, findings=findings))


def _alike(found: queries.Alike) -> schemas.Alike:
    row = found.proposal
    return schemas.Alike(
        proposal_id=row.id, partner_id=row.partner_id, round_id=row.round_id, title=row.title,
        state=rules.State(row.state), percent=found.percent,
    )  # fmt: skip
