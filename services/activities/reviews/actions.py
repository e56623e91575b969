"""What reviewers do with proposals, and how what they approve is published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.checklists.rules import Content, Mode
from services.activities.kits.actions import keep_terms
from services.activities.listings import rules as listing_rules
from services.activities.listings.actions import NewListing, NewShift, add_listings
from services.activities.listings.queries import find_listings, lock_references
from services.activities.proposals.queries import get_round, lock_proposal, lock_proposals
from services.activities.proposals.rules import Command, State, after, free_reference, reference_of
from services.activities.proposals.tables import Proposal
from services.activities.reviews import queries, rules
from services.activities.reviews.rules import Decision, Verdict
from services.activities.reviews.tables import ProposalComment, ProposalDecision
from services.activities.skills.queries import find_codes
from services.activities.skills.rules import as_codes
from shared import bus
from shared.errors import NotFound, Refusal
from shared.events.activities_proposals import (
    ProposalApproved,
    ProposalChangesRequested,
    ProposalRejected,
    ProposalReviewed,
)
from shared.ids import new_id
from shared.seen import Seen

AT_ONCE = 500  # Listings published in one transaction.
_COMMANDS = {
    Decision.CHANGES_REQUESTED: Command.REQUEST_CHANGES,
    Decision.APPROVED: Command.APPROVE,
    Decision.REJECTED: Command.REJECT,
}


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviews, when; `partner_id` is the partner whose member they are besides, if any."""

    programme_id: UUID
    person_id: UUID
    partner_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one proposal of many: where it stands now, or why it does not."""

    proposal_id: UUID
    state: str | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that is made, and not yet recorded and told."""

    proposal: Proposal
    decision: ProposalDecision
    publish_at: datetime

    @property
    def outcome(self) -> Outcome:
        """What became of the proposal."""
        return Outcome(self.proposal.id, self.proposal.state, None)


def claim(tx: Session, by: Reviewer, proposal_id: UUID) -> Proposal:
    """Take a proposal to review it; again changes nothing.

    Raises NotFound, AlreadyClaimed, OwnProposal, WrongProposalState.
    """
    proposal = lock_proposal(tx, programme_id=by.programme_id, proposal_id=proposal_id)
    proposal.state, proposal.reviewer_id = _claimed(by, proposal), by.person_id
    return proposal


def release(tx: Session, *, programme_id: UUID, proposal_id: UUID) -> Proposal:
    """Give a proposal back, one's own or that of somebody who cannot; again changes nothing.

    Raises NotFound, WrongProposalState.
    """
    proposal = lock_proposal(tx, programme_id=programme_id, proposal_id=proposal_id)
    if proposal.state != State.SUBMITTED:
        proposal.state = after(proposal.state, Command.RELEASE)
        proposal.reviewer_id = None
    return proposal


def decide(tx: Session, by: Reviewer, proposal_id: UUID, verdict: Verdict, *, seen: Seen) -> Proposal:
    """Decide about the version that one has taken.

    Raises NotFound, ChangedSince, NotYourReview, OwnProposal, WrongProposalState, ShiftsOver, and what does not hold
    about the verdict itself: BadAnswers, HandbookOutdated, HandbookSaysNo, UnknownField.
    """
    rules.require_verdict(verdict)
    proposal = lock_proposal(tx, programme_id=by.programme_id, proposal_id=proposal_id)
    seen.require(proposal)
    state = State(proposal.state)
    if state is State.IN_REVIEW:
        rules.require_theirs(by.person_id, reviewer_id=proposal.reviewer_id)
    call = get_round(tx, proposal.round_id)
    _record(tx, [_decide(by, proposal, verdict, state=state, publish_at=call.publish_at)])
    return proposal


def decide_many(tx: Session, by: Reviewer, proposal_ids: Collection[UUID], verdict: Verdict) -> list[Outcome]:
    """Decide alike about many, each for itself: what cannot be decided is told with its reason and keeps no other back.

    What nobody has taken is taken in passing. Raises NotFound if there is one that does not exist, and what does not
    hold about the verdict itself: then nothing is decided.
    """
    rules.require_verdict(verdict)
    found = lock_proposals(tx, programme_id=by.programme_id, proposal_ids=proposal_ids)
    missing = [str(proposal_id) for proposal_id in proposal_ids if proposal_id not in found]
    if missing:
        raise NotFound(proposal_ids=missing)
    rounds = {round_id: get_round(tx, round_id) for round_id in {each.round_id for each in found.values()}}
    publish_at = {proposal.id: rounds[proposal.round_id].publish_at for proposal in found.values()}
    outcomes = [_outcome(by, found[each], verdict, publish_at=publish_at[each]) for each in proposal_ids]
    _record(tx, [each for each in outcomes if isinstance(each, Decided)])
    return [each.outcome if isinstance(each, Decided) else each for each in outcomes]


def comment(
    tx: Session, *, programme_id: UUID, proposal_id: UUID, partner_id: UUID | None, body: str, by: UUID, now: datetime
) -> ProposalComment:
    """Say something about a proposal; `partner_id` limits it to that partner's. Raises NotFound, TooManyComments."""
    proposal = lock_proposal(tx, programme_id=programme_id, proposal_id=proposal_id, partner_id=partner_id)
    rules.require_room_for_comment(queries.count_comments(tx, proposal.id))
    said = ProposalComment(
        id=new_id(), programme_id=programme_id, proposal_id=proposal.id, submission=proposal.submissions,
        side="operator" if partner_id is None else "partner", body=body, written_by=by, written_at=now,
    )  # fmt: skip
    tx.add(said)
    tx.flush()
    return said


def publish_approved(tx: Session, *, now: datetime) -> int:
    """Publish what is approved and due by now, a batch of each programme at most; return how many those were.

    However late or often it runs, each is published once: its row is locked, and then names its listing.
    """
    return sum(_publish_of(tx, programme_id, now) for programme_id in queries.list_programmes_due(tx, now=now))


def _publish_of(tx: Session, programme_id: UUID, now: datetime) -> int:
    lock_references(tx, programme_id=programme_id)  # As every publisher does first: nobody takes a name meanwhile.
    due = queries.lock_due(tx, programme_id=programme_id, now=now, limit=AT_ONCE)
    references = _references(tx, programme_id, due)
    codes = find_codes(tx, programme_id=programme_id)
    listings = [_listing(proposal, references[proposal.id], codes) for proposal, _ in due]
    ids = add_listings(tx, programme_id=programme_id, listings=listings, now=now)
    for (proposal, _), listing_id in zip(due, ids, strict=True):
        proposal.listing_id, proposal.published_at = listing_id, now
    both = zip(ids, due, strict=True)
    kits = {listing_id: kit for listing_id, (proposal, _) in both if (kit := proposal.content.kit) is not None}
    keep_terms(tx, programme_id=programme_id, terms=kits)
    tx.flush()
    return len(due)


def _references(tx: Session, programme_id: UUID, due: Sequence[tuple[Proposal, int]]) -> dict[UUID, str]:
    """Name each listing; where somebody else has the name already, with a count behind it."""
    wanted = {proposal.id: reference_of(round_number=number, number=proposal.number) for proposal, number in due}
    taken = set(find_listings(tx, programme_id=programme_id, references=wanted.values()))
    if not taken:
        return wanted
    tries = [f"{reference}-{count}" for reference in taken for count in range(2, rules.MOST_DECIDED)]
    taken |= find_listings(tx, programme_id=programme_id, references=tries).keys()
    return {proposal_id: free_reference(reference, taken) for proposal_id, reference in wanted.items()}


def _listing(proposal: Proposal, reference: str, codes: Mapping[str, str]) -> NewListing:
    content = proposal.content
    ordered = sorted(content.shifts, key=lambda each: (each.starts_at, each.ends_at))
    shifts = (
        NewShift(number, listing_rules.Times(each.starts_at, each.ends_at), each.capacity, each.minimum)
        for number, each in enumerate(ordered, start=1)
    )
    return NewListing(
        proposal.partner_id, reference, content.title, content.timezone, tuple(shifts), proposal_id=proposal.id,
        mode=content.mode, city=content.city, place=content.place, description=content.description,
        terms=_terms(content),
        skills=as_codes((skill for position in content.positions for skill in position.skills), codes),
    )  # fmt: skip


def _terms(content: Content) -> listing_rules.Terms | None:
    """Return what work is accepted by that is done online and handed in; other work is not handed in."""
    work = content.deliverable
    if content.mode is not Mode.ONLINE or work is None or work.minutes_per_piece is None:
        return None
    return listing_rules.Terms(work.criteria, work.minutes_per_piece)


def _outcome(by: Reviewer, proposal: Proposal, verdict: Verdict, *, publish_at: datetime) -> Decided | Outcome:
    try:
        return _decide(by, proposal, verdict, state=_claimed(by, proposal), publish_at=publish_at)
    except Refusal as refusal:  # It is refused before anything of it is changed.
        return Outcome(proposal.id, None, refusal)


def _claimed(by: Reviewer, proposal: Proposal) -> State:
    """Say where a claim leads. Raises AlreadyClaimed, OwnProposal, WrongProposalState."""
    _require_impartial(by, proposal)
    if proposal.state != State.IN_REVIEW:
        return after(proposal.state, Command.CLAIM)
    rules.require_unclaimed(by.person_id, reviewer_id=proposal.reviewer_id)
    return State.IN_REVIEW


def _require_impartial(by: Reviewer, proposal: Proposal) -> None:
    rules.require_impartial(
        reviewer_id=by.person_id, reviewers_partner=by.partner_id, partner_id=proposal.partner_id,
        submitted_by=proposal.submitted_by,
    )  # fmt: skip


def _decide(by: Reviewer, proposal: Proposal, verdict: Verdict, *, state: State, publish_at: datetime) -> Decided:
    """Decide about a proposal in this state; nothing is changed before everything that may refuse has passed."""
    _require_impartial(by, proposal)
    moved = after(state, _COMMANDS[verdict.decision])
    if verdict.decision is Decision.APPROVED:
        starts = (shift.starts_at for shift in proposal.content.shifts)
        rules.require_shifts_ahead(starts, publish_at=publish_at, now=by.at)
    proposal.state, proposal.reviewer_id = moved, by.person_id
    proposal.decided_at = None if verdict.decision is Decision.CHANGES_REQUESTED else by.at
    return Decided(proposal, _decision(by, proposal, verdict), publish_at)


def _decision(by: Reviewer, proposal: Proposal, verdict: Verdict) -> ProposalDecision:
    answers = verdict.answers
    return ProposalDecision(
        id=new_id(), programme_id=proposal.programme_id, proposal_id=proposal.id, submission=proposal.submissions,
        decision=verdict.decision, reasons=list(verdict.reasons), note=verdict.note,
        requests=[list(each) for each in verdict.requests], handbook_version=answers.version if answers else None,
        answers=[[each.item, each.mark, each.remark] for each in answers.marks] if answers else None,
        submitted_at=proposal.submitted_at, decided_by=by.person_id, decided_at=by.at,
    )  # fmt: skip


def _record(tx: Session, decided: Sequence[Decided]) -> None:
    """Write down what is decided and tell it, with a few statements for however many."""
    tx.add_all(each.decision for each in decided)
    tx.flush()
    bus.emit_all(tx, [_told(each.proposal, each.decision, each.publish_at) for each in decided])


def _told(proposal: Proposal, decision: ProposalDecision, publish_at: datetime) -> ProposalReviewed:
    minutes = rules.review_minutes(submitted_at=decision.submitted_at, decided_at=decision.decided_at)
    facts = {
        "programme_id": proposal.programme_id, "proposal_id": proposal.id, "partner_id": proposal.partner_id,
        "round_id": proposal.round_id, "submission": decision.submission, "submitted_at": decision.submitted_at,
        "decision_id": decision.id, "decided_at": decision.decided_at, "review_minutes": minutes,
    }  # fmt: skip
    if decision.decision == Decision.APPROVED:
        return ProposalApproved.model_validate(facts | {"publish_at": publish_at})
    kind = ProposalRejected if decision.decision == Decision.REJECTED else ProposalChangesRequested
    return kind.model_validate(facts)
