"""HTTP door of reviews: reviewers take and decide, both sides talk, operators see how a round stands."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.checklists.rules import Finding
from services.activities.checklists.schemas import Content, Words
from services.activities.checklists.schemas import Finding as ShownFinding
from services.activities.proposals import queries as proposals
from services.activities.proposals.rules import State, WrongProposalState, differences
from services.activities.proposals.schemas import Proposal
from services.activities.proposals.tables import Proposal as Row
from services.activities.proposals.tables import ProposalVersion
from services.activities.reviews import actions, queries, rules, schemas, tables
from services.activities.reviews.actions import Reviewer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Instant
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["reviews"])

Reads = Annotated[Caller, Depends(may("proposals.read"))]
Reviews = Annotated[Caller, Depends(may("proposals.review"))]
Releases = Annotated[Caller, Depends(may("proposals.release"))]
Talks = Annotated[Caller, Depends(may("proposals.discuss"))]
Oversees = Annotated[Caller, Depends(may("proposals.oversee"))]

_VERDICT = (rules.HandbookOutdated, rules.BadAnswers)
_DECISION = (NotFound, rules.NotYourReview, rules.OwnProposal, WrongProposalState)


@router.get("/review-handbook", operation_id="get_review_handbook")
def get_review_handbook(caller: Reads) -> schemas.Handbook:  # noqa: ARG001  Its permission is what counts.
    """Show the reviewers' checklist in its current version; partners may read what they are measured by."""
    items = [
        schemas.HandbookItem(item=each.code, says=Words.model_validate(each.says), may_not_apply=each.may_not_apply)
        for each in rules.HANDBOOK.items
    ]
    return schemas.Handbook(version=rules.HANDBOOK.version, items=items)


@router.post("/proposals/{proposal_id}/claim", operation_id="claim_proposal", response_model=Proposal)
@refuses(NotFound, rules.AlreadyClaimed, rules.OwnProposal, WrongProposalState)
def claim_proposal(proposal_id: UUID, caller: Reviews, tx: Tx, now: Now) -> Row:
    """Take a proposal to review it; again changes nothing. Nobody reviews what is their own."""
    return actions.claim(tx, _by(caller, now), proposal_id)


@router.post("/proposals/{proposal_id}/release", operation_id="release_proposal", response_model=Proposal)
@refuses(NotFound, WrongProposalState)
def release_proposal(proposal_id: UUID, caller: Releases, tx: Tx) -> Row:
    """Give a proposal back to those that wait, whoever has taken it; again changes nothing."""
    return actions.release(tx, programme_id=caller.programme_id, proposal_id=proposal_id)


@router.post(
    "/proposals/{proposal_id}/change-requests", operation_id="request_proposal_changes", response_model=Proposal
)  # fmt: skip
@refuses(*_DECISION, *_VERDICT, rules.UnknownField)
def request_proposal_changes(
    proposal_id: UUID, body: schemas.ChangeRequest, caller: Reviews, tx: Tx, now: Now, seen: Read
) -> Row:  # fmt: skip
    """Send a proposal back to its partner, saying field by field what is to change."""
    return actions.decide(tx, _by(caller, now), proposal_id, body.told(), seen=seen)


@router.post("/proposals/{proposal_id}/approval", operation_id="approve_proposal", response_model=Proposal)
@refuses(*_DECISION, *_VERDICT, rules.HandbookSaysNo, rules.ShiftsOver)
def approve_proposal(
    proposal_id: UUID, body: schemas.Approval, caller: Reviews, tx: Tx, now: Now, seen: Read
) -> Row:  # fmt: skip
    """Let a proposal pass; it is published at the round's publish time, or within minutes if that is over."""
    return actions.decide(tx, _by(caller, now), proposal_id, body.told(), seen=seen)


@router.post("/proposals/{proposal_id}/rejection", operation_id="reject_proposal", response_model=Proposal)
@refuses(*_DECISION, *_VERDICT, rules.ReasonsNeeded)
def reject_proposal(
    proposal_id: UUID, body: schemas.Rejection, caller: Reviews, tx: Tx, now: Now, seen: Read
) -> Row:  # fmt: skip
    """Turn a proposal down, for good, for reasons that are counted and words that the partner reads."""
    return actions.decide(tx, _by(caller, now), proposal_id, body.told(), seen=seen)


@router.post("/proposal-decisions", operation_id="decide_proposals")
@refuses(NotFound, *_VERDICT, rules.HandbookSaysNo, rules.ReasonsNeeded)
def decide_proposals(body: schemas.Decisions, caller: Reviews, tx: Tx, now: Now) -> schemas.Outcomes:
    """Approve or reject many alike, each for itself: one that cannot be decided keeps no other back, and says why."""
    found = actions.decide_many(tx, _by(caller, now), list(dict.fromkeys(body.proposal_ids)), body.told())
    return schemas.Outcomes(items=[_outcome(each) for each in found])


@router.get("/proposals/{proposal_id}/comments", operation_id="list_proposal_comments")
@refuses(NotFound)
def list_proposal_comments(proposal_id: UUID, caller: Reads, tx: Tx) -> schemas.Comments:
    """Show what both sides have said about a proposal."""
    row = _proposal(tx, caller, proposal_id)
    said = queries.list_comments(tx, row.id)
    return schemas.Comments(items=[schemas.Comment.model_validate(each) for each in said])


@router.post(
    "/proposals/{proposal_id}/comments", status_code=201, operation_id="comment_on_proposal",
    response_model=schemas.Comment,
)  # fmt: skip
@refuses(NotFound, rules.TooManyComments)
def comment_on_proposal(
    proposal_id: UUID, body: schemas.NewComment, caller: Talks, tx: Tx, now: Now
) -> tables.ProposalComment:
    """Say something about a proposal, which both sides read."""
    return actions.comment(
        tx, programme_id=caller.programme_id, proposal_id=proposal_id, partner_id=caller.partner_scope, body=body.body,
        by=caller.person_id, now=now,
    )  # fmt: skip


@router.get("/proposals/{proposal_id}/history", operation_id="show_proposal_history")
@refuses(NotFound)
def show_proposal_history(proposal_id: UUID, caller: Reads, tx: Tx) -> schemas.History:
    """Show every version of a proposal, what each changed, and what was decided about it."""
    row = _proposal(tx, caller, proposal_id)
    decisions = {each.submission: each for each in queries.list_decisions(tx, row.id)}
    versions = proposals.list_versions(tx, row.id)
    before = [None, *versions]
    items = [_version(was, each, decisions.get(each.number)) for was, each in zip(before, versions, strict=False)]
    return schemas.History(items=items)


@router.get("/rounds/{round_id}/board", operation_id="show_round_board")
@refuses(NotFound)
def show_round_board(round_id: UUID, caller: Oversees, tx: Tx) -> schemas.Board:
    """Show how a round's proposals stand against its target, as a whole and by partner; drafts are not counted."""
    board = queries.get_board(tx, programme_id=caller.programme_id, round_id=round_id)
    partners = [
        schemas.PartnerTally(partner_id=partner_id, **schemas.Tally.model_validate(each).model_dump())
        for partner_id, each in board.partners.items()
    ]
    return schemas.Board(
        round_id=round_id, number=board.round.number, target=board.round.target,
        gap=rules.gap(board.whole, target=board.round.target), whole=schemas.Tally.model_validate(board.whole),
        decisions=board.decisions, median_review_minutes=board.median_minutes,
        ninth_decile_review_minutes=board.ninth_minutes, partners=partners,
    )  # fmt: skip


@router.get("/boards/rounds", operation_id="sum_round_boards")
def sum_round_boards(since: Instant, until: Instant, caller: Oversees, tx: Tx, now: Now) -> schemas.BoardSum:
    """Sum the boards of the rounds that opened from `since` to before `until`; drafts are not counted."""
    found = queries.sum_boards(tx, programme_id=caller.programme_id, since=since, until=until, now=now)
    return schemas.BoardSum(
        since=since, until=until, rounds=found.rounds, target=found.target,
        gap=rules.gap(found.whole, target=found.target), whole=schemas.Tally.model_validate(found.whole),
    )  # fmt: skip


def _by(caller: Caller, now: datetime) -> Reviewer:
    return Reviewer(caller.programme_id, caller.person_id, caller.partner_id, now)


def _proposal(tx: Tx, caller: Caller, proposal_id: UUID) -> Row:
    return proposals.get_proposal(
        tx, programme_id=caller.programme_id, proposal_id=proposal_id, partner_id=caller.partner_scope
    )


def _outcome(found: actions.Outcome) -> schemas.Outcome:
    refusal, state = found.refusal, found.state
    return schemas.Outcome(
        proposal_id=found.proposal_id, state=None if state is None else State(state),
        code=None if refusal is None else refusal.code,
        title=None if refusal is None else Words.model_validate(refusal.title),
    )  # fmt: skip


def _version(
    before: ProposalVersion | None, version: ProposalVersion, decision: tables.ProposalDecision | None
) -> schemas.Version:
    changed = [] if before is None else differences(before.content, version.content)
    return schemas.Version(
        number=version.number, submitted_by=version.submitted_by, is_on_behalf=version.is_on_behalf,
        submitted_at=version.submitted_at, content=Content.model_validate(version.content),
        findings=[ShownFinding.of(Finding(*each)) for each in version.findings],
        differences=[schemas.Difference(field=each.field, before=each.before, after=each.after) for each in changed],
        decision=None if decision is None else _past(decision),
    )  # fmt: skip


def _past(decision: tables.ProposalDecision) -> schemas.Past:
    return schemas.Past(
        id=decision.id, decision=rules.Decision(decision.decision), note=decision.note,
        reasons=[rules.Reason(each) for each in decision.reasons],
        requests=[schemas.Request(field=field, note=note) for field, note in decision.requests],
        answers=_answers(decision), decided_by=decision.decided_by, decided_at=decision.decided_at,
        review_minutes=rules.review_minutes(submitted_at=decision.submitted_at, decided_at=decision.decided_at),
    )  # fmt: skip


def _answers(decision: tables.ProposalDecision) -> schemas.Answers | None:
    if decision.answers is None or decision.handbook_version is None:
        return None
    marks = [schemas.Answer(item=item, mark=mark, remark=remark) for item, mark, remark in decision.answers]
    return schemas.Answers(version=decision.handbook_version, marks=marks)
