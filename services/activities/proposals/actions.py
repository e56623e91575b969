"""What a partner, or an operator for a partner, can do with proposals; and what time does to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.checklists.rules import Content, Finding, check
from services.activities.checklists.tables import written
from services.activities.partners.queries import find_partner, lock_footings
from services.activities.partners.rules import Footing, UnknownPartner, require_may_propose, require_quota
from services.activities.proposals import queries, rules
from services.activities.proposals.rules import Command, State
from services.activities.proposals.tables import Proposal, ProposalVersion
from services.activities.rounds.tables import Round
from shared import bus
from shared.audit import Change, note
from shared.events.activities_proposals import ProposalSubmitted
from shared.ids import new_id
from shared.seen import Seen
from shared.zones import zone

AT_ONCE = 1_000
_ADD = text("""
    INSERT INTO proposal (id, programme_id, partner_id, round_id, number, external_reference, state, mode, title,
        likeness, content, series_id, submissions, drafted_by, drafted_at, submitted_by, submitted_at)
    SELECT id, :programme_id, partner_id, round_id, number, external_reference, 'submitted', mode, title,
        likeness, content, id, 1, :person_id, :at, :person_id, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, partner_id uuid, round_id uuid, number int,
        external_reference text, mode text, title text, likeness text, content jsonb)
""")
_ADD_VERSIONS = text("""
    INSERT INTO proposal_version (proposal_id, number, programme_id, content, findings, submitted_by, is_on_behalf,
        submitted_at)
    SELECT id, 1, :programme_id, content, findings, :person_id, :is_on_behalf, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, content jsonb, findings jsonb)
""")


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, when; `partner_id` is the only partner for which they may, None for staff."""

    programme_id: UUID
    person_id: UUID
    partner_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """A proposal that a sheet brings, as it is handed in for its partner."""

    partner_id: UUID
    round_id: UUID
    external_reference: str
    content: Content
    findings: tuple[Finding, ...]


def draft(tx: Session, by: By, *, partner_id: UUID, round_id: UUID, content: Content) -> Proposal:
    """Begin a proposal in a round that is not over yet; the automatic checklist stands in the way of nothing so far.

    Raises UnknownPartner, UnknownRound, SubmissionClosed, UnknownTimezone.
    """
    if find_partner(tx, programme_id=by.programme_id, partner_id=partner_id) is None:
        raise UnknownPartner(field="partner_id", partner_id=partner_id)
    return _begun(tx, by, partner_id, _round_ahead(tx, by, round_id), content)


def edit(tx: Session, by: By, proposal_id: UUID, content: Content, *, seen: Seen) -> Proposal:
    """Put another content in the place of a draft's, or of one that was sent back.

    Raises NotFound, ChangedSince, WrongProposalState, UnknownTimezone.
    """
    proposal = _lock(tx, by, proposal_id)
    seen.require(proposal)
    proposal.state = rules.after(proposal.state, Command.EDIT)
    _fill(proposal, content)
    return proposal


def submit(tx: Session, by: By, proposal_id: UUID, *, seen: Seen) -> Proposal:
    """Hand in a proposal, or hand it in again: a version of it is kept for good, and a reviewer may take it.

    Raises NotFound, ChangedSince, WrongProposalState, SubmissionClosed, TooManySubmissions, HasFindings, and what
    stands against the partner.
    """
    proposal, footing = _lock_with_partner(tx, by, proposal_id)
    seen.require(proposal)
    state = rules.after(proposal.state, Command.SUBMIT)
    deadlines = queries.deadlines_of(queries.hold_round(tx, proposal.round_id))
    is_first = proposal.submissions == 0
    rules.require_submission_open(deadlines, is_first=is_first, now=by.at)
    rules.require_submissions_left(proposal.submissions)
    require_may_propose(footing, on=by.at.astimezone(zone(proposal.content.timezone)).date())
    if is_first:  # What comes again was counted when it first came.
        made = queries.count_submitted(tx, round_id=proposal.round_id, partner_id=proposal.partner_id)
        require_quota(footing, made=made)
    findings = findings_of(tx, proposal, now=by.at)
    rules.require_fit(findings)
    return _submitted(tx, by, proposal, state, findings)


def withdraw(tx: Session, by: By, proposal_id: UUID, *, because: str, seen: Seen) -> Proposal:
    """Give a proposal up before it is decided; again changes nothing.

    Raises NotFound, ChangedSince, WrongProposalState.
    """
    proposal = _lock(tx, by, proposal_id)
    seen.require(proposal)
    if proposal.state == State.WITHDRAWN:
        return proposal
    proposal.state = rules.after(proposal.state, Command.WITHDRAW)
    proposal.ended_at, proposal.ended_because = by.at, because
    return proposal


def clone(tx: Session, by: By, proposal_id: UUID, *, round_id: UUID) -> Proposal:
    """Repeat a proposal in another round, so many days later as that is published later; both are of one series.

    Raises NotFound, UnknownRound, SubmissionClosed, TooFarAhead.
    """
    original = queries.get_proposal(tx, programme_id=by.programme_id, proposal_id=proposal_id, partner_id=by.partner_id)
    call, first = _round_ahead(tx, by, round_id), queries.get_round(tx, original.round_id)
    days = rules.days_between(first.publish_at, call.publish_at, zone(original.content.timezone))
    copy = _begun(tx, by, original.partner_id, call, rules.moved(original.content, days=days))
    copy.series_id, copy.cloned_from = original.series_id, original.id
    return copy


def findings_of(tx: Session, proposal: Proposal, *, now: datetime) -> list[Finding]:
    """Go through the automatic checklist, and look for proposals of late that are like it; a clone may be.

    Of what is decided or given up nothing is found any more.
    """
    if proposal.state not in rules.UNDER_WAY:
        return []
    publish_at = queries.get_round(tx, proposal.round_id).publish_at
    found = check(proposal.content, now=now, publish_at=publish_at)
    if proposal.cloned_from is None and queries.find_alike(tx, proposal, partner_id=None, before=now, limit=1):
        found.append(Finding("description", "similar_to_earlier"))
    return found


def expire_overdue(tx: Session, *, now: datetime) -> int:
    """Give up what its partner has not handed in by the round's review deadline; return how many those were.

    A batch at most; what a reviewer has does not expire: that it waits is not the partner's doing.
    """
    overdue = queries.lock_overdue(tx, now=now, limit=AT_ONCE)
    for proposal in overdue:
        proposal.state = rules.after(proposal.state, Command.EXPIRE)
        proposal.ended_at, proposal.ended_because = now, "review_deadline"
    return len(overdue)


def add_submitted(tx: Session, by: By, new: Sequence[NewSubmission]) -> None:
    """Add proposals as they were handed in, with a statement a table for each thousand; whoever calls has checked them.

    Each is numbered in its round, after those that are there.
    """
    numbers = {round_id: queries.lock_numbers(tx, round_id) for round_id in sorted({each.round_id for each in new})}
    facts, rows = [], []
    for each in new:
        numbers[each.round_id] += 1
        row = _row(each, numbers[each.round_id])
        rows.append(row)
        facts.append(
            ProposalSubmitted(
                programme_id=by.programme_id, proposal_id=row["id"], partner_id=each.partner_id,
                round_id=each.round_id, submission=1, is_on_behalf=by.partner_id is None, submitted_at=by.at,
            )
        )  # fmt: skip
    constants = {"programme_id": by.programme_id, "person_id": by.person_id, "at": by.at}
    for start in range(0, len(rows), AT_ONCE):
        values = constants | {"rows": orjson.dumps(rows[start : start + AT_ONCE]).decode()}
        tx.execute(_ADD, values)
        tx.execute(_ADD_VERSIONS, values | {"is_on_behalf": by.partner_id is None})
    note(tx, "proposal", (Change(row["id"], None, {"state": State.SUBMITTED}) for row in rows), added=len(rows))
    bus.emit_all(tx, facts)


def _row(new: NewSubmission, number: int) -> dict[str, Any]:
    return {
        "id": new_id(), "partner_id": new.partner_id, "round_id": new.round_id, "number": number,
        "external_reference": new.external_reference, "mode": new.content.mode, "title": new.content.title,
        "likeness": rules.comparable(new.content.title, new.content.description),
        "content": written(new.content), "findings": [[each.field, each.code] for each in new.findings],
    }  # fmt: skip


def _lock(tx: Session, by: By, proposal_id: UUID) -> Proposal:
    return queries.lock_proposal(tx, programme_id=by.programme_id, proposal_id=proposal_id, partner_id=by.partner_id)


def _lock_with_partner(tx: Session, by: By, proposal_id: UUID) -> tuple[Proposal, Footing]:
    """Lock a proposal's partner, then it: of two submissions the second must see the first in its quota."""
    partner_id = queries.get_proposal(
        tx, programme_id=by.programme_id, proposal_id=proposal_id, partner_id=by.partner_id
    ).partner_id
    footings = lock_footings(tx, programme_id=by.programme_id, partner_ids=[partner_id])
    return _lock(tx, by, proposal_id), footings[partner_id]


def _round_ahead(tx: Session, by: By, round_id: UUID) -> Round:
    """Return a round in which something may be begun: it may open later, but must not be over."""
    found = queries.find_round(tx, programme_id=by.programme_id, round_id=round_id)
    if found is None:
        raise rules.UnknownRound(field="round_id", round_id=round_id)
    rules.require_not_over(queries.deadlines_of(found), now=by.at)
    return found


def _begun(tx: Session, by: By, partner_id: UUID, call: Round, content: Content) -> Proposal:
    number = queries.lock_numbers(tx, call.id) + 1
    proposal_id = new_id()
    proposal = Proposal(
        id=proposal_id, programme_id=by.programme_id, partner_id=partner_id, round_id=call.id, number=number,
        state=State.DRAFT, series_id=proposal_id, submissions=0, drafted_by=by.person_id, drafted_at=by.at,
    )  # fmt: skip
    _fill(proposal, content)
    tx.add(proposal)
    tx.flush()
    return proposal


def _fill(proposal: Proposal, content: Content) -> None:
    """Write a content, and what is found by it. Raises UnknownTimezone."""
    zone(content.timezone)
    proposal.content = content
    proposal.title, proposal.mode = content.title, content.mode
    proposal.likeness = rules.comparable(content.title, content.description)


def _submitted(tx: Session, by: By, proposal: Proposal, state: State, findings: Sequence[Finding]) -> Proposal:
    proposal.state = state
    proposal.submissions += 1
    proposal.submitted_by, proposal.submitted_at = by.person_id, by.at
    version = ProposalVersion(
        proposal_id=proposal.id, number=proposal.submissions, programme_id=proposal.programme_id,
        content=proposal.content, findings=[[each.field, each.code] for each in findings],
        submitted_by=by.person_id, is_on_behalf=by.partner_id is None, submitted_at=by.at,
    )  # fmt: skip
    tx.add(version)
    tx.flush()
    fact = ProposalSubmitted(
        programme_id=proposal.programme_id, proposal_id=proposal.id, partner_id=proposal.partner_id,
        round_id=proposal.round_id, submission=proposal.submissions, is_on_behalf=version.is_on_behalf,
        submitted_at=by.at,
    )  # fmt: skip
    bus.emit(tx, fact)
    return proposal
