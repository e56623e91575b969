"""What can be done with claims: made by one side, answered by the other, decided by a reviewer.

Whoever does any of this holds the people's locks, then the shift's, then the claim's. Timers hold claims alone, and
pass over those that somebody else holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, settle
from services.activities.attendance.rules import require_on_shift, require_times
from services.activities.claims import queries, rules
from services.activities.claims.queries import Ground
from services.activities.claims.rules import Command, Review, Said, Side, State
from services.activities.claims.tables import Claim
from services.activities.listings.queries import ShiftOfListing, get_shift, lock_shifts_by_id
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import lock_unmerged, lock_volunteers
from shared import bus
from shared.audit import Change, note
from shared.auth.scopes import Scope
from shared.errors import Refusal
from shared.events import activities_claims as events
from shared.events.activities import EvidenceClass
from shared.ids import new_id
from shared.seen import Seen
from shared.zones import zone


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, for which side, and when. `partner_id` limits a partner's member to their own shifts."""

    programme_id: UUID
    person_id: UUID
    side: Side
    partner_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers, appeals or decides about a claim, within which scope, and when; `side` is None for a reviewer."""

    scope: Scope
    claim_id: UUID
    by: UUID
    side: Side | None
    at: datetime


Outcome = Claim | Refusal


def claim_own(tx: Session, claimant: Claimant, *, shift_id: UUID, said: Said) -> Claim:
    """Claim for oneself; the same again changes nothing and returns the first.

    Raises NotFound, NotSignedUp, NothingMissed, ClaimExists, ClaimTooLate, BadTimes, InTheFuture.
    """
    [outcome] = claim_many(tx, claimant, shift_id=shift_id, said=[said])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def claim_many(tx: Session, claimant: Claimant, *, shift_id: UUID, said: Sequence[Said]) -> list[Outcome]:
    """Claim for people on one shift; for each, in order, the claim or why there is none. Again changes nothing.

    Raises NotFound for the shift; for a person there may be NotSignedUp, NothingMissed, ClaimExists, ClaimTooLate,
    BadTimes, InTheFuture.
    """
    people = {each.volunteer_id for each in said}
    lock_volunteers(tx, people)
    on = _lock_shift(tx, programme_id=claimant.programme_id, shift_id=shift_id, partner_id=claimant.partner_id)
    grounds = queries.find_grounds(tx, shift_id=shift_id, volunteer_ids=people)
    known = {ground.claim.id for ground in grounds.values() if ground.claim is not None}
    outcomes: list[Outcome] = []
    for each in said:
        outcomes.append(outcome := _outcome(claimant, on, grounds.get(each.volunteer_id), each))
        if isinstance(outcome, Claim):  # Who is named twice has one claim.
            grounds[each.volunteer_id] = grounds[each.volunteer_id]._replace(claim=outcome)
    new = {each.id: each for each in outcomes if isinstance(each, Claim) and each.id not in known}
    tx.add_all(new.values())
    bus.emit_all(tx, [_claimed(each) for each in new.values()])
    return outcomes


def confirm(tx: Session, answer: Answer) -> Claim:
    """Turn the second key: the attendance is settled, unless a reviewer has to look first. Again changes nothing.

    Raises NotFound, RecordMerged, OwnClaim, ClaimSettled, ClaimTooLate, NothingMissed.
    """
    claim, on = _lock(tx, answer)
    if _is_answered(claim, answer, Command.CONFIRM):
        return claim
    sums = queries.sum_evidence(tx, partner_id=claim.partner_id, day=claim.service_on)
    if rules.needs_review(below_minutes=sums.below_minutes, minutes=sums.minutes):
        claim.review = Review.GATE
        return claim
    claim.review = None
    evidence = EvidenceClass.ATTESTED if claim.kind == events.MissedKind.NO_CHECK_OUT else EvidenceClass.CLAIMED
    return _settle(tx, claim, on, answer, evidence, by=events.ClaimSide(Side(claim.side).other.value))


def object_to(tx: Session, answer: Answer, *, objection: str) -> Claim:
    """Say that it was not so: a reviewer decides. Again changes nothing.

    Raises NotFound, RecordMerged, OwnClaim, ClaimSettled, ClaimTooLate.
    """
    claim, _ = _lock(tx, answer)
    if _is_answered(claim, answer, Command.OBJECT):
        return claim
    claim.objection, claim.review = objection, Review.OBJECTED
    return claim


def decide(tx: Session, answer: Answer, *, command: Command, reason: str, seen: Seen) -> Claim:
    """Decide as a reviewer, on the evidence, for or against a claim or its appeal.

    Raises NotFound, RecordMerged, ChangedSince, ClaimSettled, NotForReview, ClaimTooLate, SameReviewer, NothingMissed.
    """
    claim, on = _lock(tx, answer)
    seen.require(claim)
    rules.require_stranger(answer.by, {claim.volunteer_id, claim.claimed_by, claim.answered_by})
    if claim.review == Review.APPEAL:
        rules.require_another_reviewer(claim.first_decided_by, answer.by)
        claim.appeal_decided_by = answer.by
        _to(claim, command)
    else:
        _to(claim, command, until=claim.decide_until, now=answer.at)
        claim.first_decided_by = answer.by
    claim.decided_by, claim.decided_at, claim.decision_reason, claim.review = answer.by, answer.at, reason, None
    if command is Command.UPHOLD:
        return _settle(tx, claim, on, answer, EvidenceClass.MANUAL, by=events.ClaimSide.REVIEWER)
    bus.emit(tx, events.AttendanceClaimRejected(**_fact(claim), at=answer.at))
    return claim


def appeal(tx: Session, answer: Answer, *, words: str) -> Claim:
    """Ask, once, that another reviewer looks at a claim that was rejected or has expired; it stands so until then.

    Raises NotFound, RecordMerged, AppealedOnce, ClaimSettled, ClaimTooLate.
    """
    claim, on = _lock(tx, answer)
    rules.require_first_appeal(claim.appealed_at)
    until = rules.appeal_until(claim.decided_at or claim.decide_until, zone(on.listing.timezone))
    _to(claim, Command.APPEAL, until=until, now=answer.at)
    claim.appealed_by, claim.appealed_at, claim.appeal_words, claim.review = answer.by, answer.at, words, Review.APPEAL
    return claim


def pass_on(tx: Session, *, now: datetime, limit: int) -> int:
    """Put claims that the other side has left unanswered before the reviewers; return how many. A timer's proposal."""
    for claim in (claims := queries.lock_unanswered(tx, now=now, limit=limit)):
        claim.review = Review.UNANSWERED
    return len(claims)


def expire(tx: Session, *, now: datetime, limit: int) -> int:
    """End claims that nobody has decided in time, and tell it; return how many. Silence never pays."""
    for claim in (claims := queries.lock_undecided(tx, now=now, limit=limit)):
        _to(claim, Command.EXPIRE)
        claim.review, claim.decided_at = None, now
    bus.emit_all(tx, [events.AttendanceClaimExpired(**_fact(claim), at=now) for claim in claims])
    return len(claims)


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let the claims for sign-ups that went over to another record of the same person be that one's as well."""
    gone_over = select(SignUp.id).where(SignUp.volunteer_id == kept_id)
    rows = update(Claim).where(Claim.volunteer_id == merged_id, Claim.sign_up_id.in_(gone_over))
    moved = tx.scalars(rows.values(volunteer_id=kept_id).returning(Claim.id)).all()
    values = {"volunteer_id": merged_id}, {"volunteer_id": kept_id}
    note(tx, "claim", (Change(each, *values) for each in moved), handed_over=len(moved))


def forget_words_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Empty what was written in the claims for a person's places; what was decided stays."""
    words = {"words": "", "evidence_note": None, "objection": None, "appeal_words": None}
    emptied = tx.scalars(update(Claim).where(Claim.volunteer_id == volunteer_id).values(words).returning(Claim.id))
    note(tx, "claim", (), forgotten=len(emptied.all()))


def _lock_shift(tx: Session, *, programme_id: UUID, shift_id: UUID, partner_id: UUID | None) -> ShiftOfListing:
    """Lock a shift and return it with its listing. Raises NotFound."""
    on = get_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    lock_shifts_by_id(tx, [shift_id])
    return on


def _outcome(claimant: Claimant, on: ShiftOfListing, ground: Ground | None, said: Said) -> Outcome:
    """Return the claim that there is or is to be, or why there is none; a refusal is its own, and nobody else's."""
    try:
        if ground is None:
            raise NotSignedUp(shift_id=on.shift.id)
        return _claim(claimant, on, ground, said)
    except Refusal as refusal:
        return refusal


def _claim(claimant: Claimant, on: ShiftOfListing, ground: Ground, said: Said) -> Claim:
    if ground.claim is not None:
        is_same = (ground.claim.checked_in_at, ground.claim.checked_out_at) == _times(ground, said)
        rules.require_same(is_same=is_same and ground.claim.side == claimant.side)
        return ground.claim
    kind = rules.kind_of(ground.place.state, None if ground.attendance is None else ground.attendance.state)
    came, left = _times(ground, said)
    require_times(came, left, now=claimant.at)
    require_on_shift(came, left, starts_at=on.shift.starts_at, ends_at=on.shift.ends_at)
    terms = rules.terms_of(on.shift.ends_at, zone(on.listing.timezone), now=claimant.at)
    return Claim(
        id=new_id(), programme_id=claimant.programme_id, sign_up_id=ground.place.id, shift_id=on.shift.id,
        listing_id=on.listing.id, partner_id=on.shift.partner_id, volunteer_id=said.volunteer_id,
        service_on=on.shift.service_on, kind=kind, side=claimant.side, claimed_by=claimant.person_id,
        claimed_at=claimant.at, checked_in_at=came, checked_out_at=left, cause=said.cause, words=said.words,
        evidence_note=said.evidence_note, state=State.OPEN, answer_until=terms.answer_until,
        decide_until=terms.decide_until,
    )  # fmt: skip


def _times(ground: Ground, said: Said) -> tuple[datetime, datetime]:
    """Return from when to when somebody is said to have been there; a check-in that was recorded counts."""
    came = said.checked_in_at if ground.attendance is None else ground.attendance.checked_in_at
    return rules.require_arrival(came), said.checked_out_at


def _lock(tx: Session, answer: Answer) -> tuple[Claim, ShiftOfListing]:
    """Lock the person, the shift and the claim, and read the claim again: it may have changed while we waited."""
    claim = queries.get_claim(tx, answer.scope, answer.claim_id)
    lock_unmerged(tx, claim.volunteer_id)
    on = _lock_shift(tx, programme_id=claim.programme_id, shift_id=claim.shift_id, partner_id=None)
    queries.lock_again(tx, claim)
    return claim, on


def _is_answered(claim: Claim, answer: Answer, command: Command) -> bool:
    """Record the other side's answer; say whether that is what it had answered already."""
    rules.require_second_key(
        claimed_by=Side(claim.side), answering=answer.side, by=answer.by, claimant=claim.claimed_by,
        volunteer_id=claim.volunteer_id,
    )  # fmt: skip
    if claim.state == rules.ANSWERS[command]:
        return True
    _to(claim, command, until=claim.decide_until, now=answer.at)
    claim.answered_by, claim.answered_at = answer.by, answer.at
    return False


def _to(claim: Claim, command: Command, *, until: datetime | None = None, now: datetime | None = None) -> None:
    """Put a claim into the state after a command that is possible until then. Raises ClaimTooLate besides."""
    review = None if claim.review is None else Review(claim.review)
    following = rules.next_state(State(claim.state), review, command)
    if until is not None and now is not None:
        rules.require_before(until, now=now)
    claim.state = following


def _settle(
    tx: Session, claim: Claim, on: ShiftOfListing, answer: Answer, evidence: EvidenceClass, *, by: events.ClaimSide
) -> Claim:
    """Settle what is claimed, clipped to the shift, and tell it. Raises NothingMissed if it was settled otherwise."""
    (ground,) = queries.find_grounds(tx, shift_id=claim.shift_id, volunteer_ids=[claim.volunteer_id]).values()
    known = ground.attendance
    rules.kind_of(ground.place.state, None if known is None else known.state)
    presence = Presence(claim.checked_in_at, claim.checked_out_at, evidence)
    settlement = Settlement(
        new_id() if known is None else known.id, claim.volunteer_id, on.shift, 1, presence,
        f"claim {claim.id}: {claim.state}", answer.by, answer.at, known=known,
    )  # fmt: skip
    settle(tx, [settlement])
    bus.emit(tx, events.AttendanceClaimConfirmed(**_fact(claim), at=answer.at, confirmed_by=by))
    return claim


def _claimed(claim: Claim) -> events.AttendanceClaimed:
    terms = {"answer_until": claim.answer_until, "decide_until": claim.decide_until}
    return events.AttendanceClaimed(**_fact(claim), at=claim.claimed_at, **terms)


def _fact(claim: Claim) -> dict[str, Any]:
    names = ("programme_id", "sign_up_id", "shift_id", "listing_id", "partner_id", "volunteer_id", "kind")
    return {name: getattr(claim, name) for name in names} | {"claim_id": claim.id, "claimed_by": claim.side}
