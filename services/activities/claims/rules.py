"""Who may claim a missed check-in or check-out, who answers, and by when. Source: DOMAIN.md section 4, "Attendance".

Two keys: whoever claims, and the other side that confirms, or a reviewer who decides on the evidence. Silence never
pays: what nobody has decided when its time is over has expired.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.attendance.rules import BadTimes
from services.activities.closings.rules import DAYS_TO_CLAIM, claim_until
from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Conflict, NotAllowed, Title
from shared.working_days import PLAIN, Calendar, day_of, end_of

DAYS_TO_ANSWER = 2  # Working days that the other side has for a late claim at least, and the reviewer for any.
DAYS_TO_APPEAL = 5  # Working days after the decision, or after the end.
MOST_AT_ONCE = 200
# A partner that proves more than this share of a month's minutes otherwise than by scans has each claim reviewed.
# GET /claims/evidence shows it the share. Of fewer minutes than the least, a share says nothing.
MOST_BELOW_SCANNED_PERCENT = 30
LEAST_MINUTES = 20 * 60


class State(StrEnum):
    """What became of a claim."""

    OPEN = "open"  # The other side is asked.
    CONFIRMED = "confirmed"  # It says yes; the minutes follow, unless a reviewer has to look (`Review.GATE`).
    OBJECTED = "objected"  # It says no; a reviewer decides.
    UPHELD = "upheld"  # A reviewer has decided for the claim.
    REJECTED = "rejected"  # A reviewer has decided against it.
    EXPIRED = "expired"  # Nobody has decided in time.


class Review(StrEnum):
    """Why a claim waits for a reviewer."""

    UNANSWERED = "unanswered"
    OBJECTED = "objected"
    GATE = "gate"  # Of a partner with too large a share below `scanned`.
    APPEAL = "appeal"


class Command(StrEnum):
    """What can be done with a claim."""

    CONFIRM = "confirm"
    OBJECT = "object"
    UPHOLD = "uphold"
    REJECT = "reject"
    EXPIRE = "expire"
    APPEAL = "appeal"


class Side(StrEnum):
    """Who says so."""

    VOLUNTEER = "volunteer"
    PARTNER = "partner"

    @property
    def other(self) -> "Side":
        """The side that has the second key."""
        return Side.PARTNER if self is Side.VOLUNTEER else Side.VOLUNTEER


class Cause(StrEnum):
    """Why there is no scan, as the claimant says."""

    PHONE = "phone"
    NETWORK = "network"
    CODE_NOT_SHOWN = "code_not_shown"
    FORGOTTEN = "forgotten"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """What a claimant says of one person; of somebody who checked in, the check-in that was recorded counts."""

    volunteer_id: UUID
    checked_in_at: datetime | None
    checked_out_at: datetime
    cause: Cause
    words: str
    evidence_note: str | None


class NothingMissed(Conflict):
    """There is nothing to claim: no missed check-in or check-out of this person on this shift."""

    code = "nothing_missed"
    title = Title(zh="该场次没有可补签的漏签", en="There is no missed check-in or check-out to claim")


class ClaimExists(Conflict):
    """There is a claim already, and it says something else; a place has one claim."""

    code = "claim_exists"
    title = Title(zh="该报名已有补签申请", en="There is a claim for this place already")


class ClaimTooLate(Conflict):
    """The time in which this could be claimed, answered or appealed is over."""

    code = "claim_too_late"
    title = Title(zh="已超过补签期限", en="The time for this claim is over")


class ClaimSettled(Conflict):
    """In its state, this cannot be done with the claim; `state` and `command` say what."""

    code = "claim_settled"
    title = Title(zh="该补签申请的当前状态不允许此操作", en="The state of this claim does not allow it")


class NotForReview(Conflict):
    """The claim is the other side's to answer still: reviewers come later."""

    code = "claim_not_for_review"
    title = Title(zh="该补签申请仍待对方确认", en="The other side may still answer this claim")


class OwnClaim(NotAllowed):
    """Who claims does not confirm: that takes the second key."""

    code = "own_claim"
    title = Title(zh="不能确认自己提出的补签", en="A claim is confirmed by the other side")


class AppealedOnce(Conflict):
    """A claim is appealed once."""

    code = "appealed_once"
    title = Title(zh="该补签申请已申诉过", en="This claim was appealed already")


class SameReviewer(NotAllowed):
    """Who decided first does not decide the appeal."""

    code = "same_reviewer"
    title = Title(zh="申诉须由另一位审核人处理", en="Another reviewer decides the appeal")


_S, _C, _R = State, Command, Review
_WAITS = {  # (State, why it waits for a reviewer) → what each command makes of it.
    (_S.OPEN, None): {_C.CONFIRM: _S.CONFIRMED, _C.OBJECT: _S.OBJECTED},
    (_S.OPEN, _R.UNANSWERED): {_C.CONFIRM: _S.CONFIRMED, _C.OBJECT: _S.OBJECTED},
    (_S.REJECTED, None): {_C.APPEAL: _S.REJECTED},
    (_S.EXPIRED, None): {_C.APPEAL: _S.EXPIRED},
}
_DECIDED = {_C.UPHOLD: _S.UPHELD, _C.REJECT: _S.REJECTED}
TRANSITIONS: Mapping[tuple[State, Review | None], Mapping[Command, State]] = _WAITS | {
    (_S.OPEN, _R.UNANSWERED): _WAITS[_S.OPEN, _R.UNANSWERED] | _DECIDED | {_C.EXPIRE: _S.EXPIRED},
    (_S.CONFIRMED, _R.GATE): _DECIDED | {_C.EXPIRE: _S.EXPIRED},
    (_S.OBJECTED, _R.OBJECTED): _DECIDED | {_C.EXPIRE: _S.EXPIRED},
    (_S.REJECTED, _R.APPEAL): _DECIDED,
    (_S.EXPIRED, _R.APPEAL): _DECIDED,
}


ANSWERS: Mapping[Command, State] = {Command.CONFIRM: State.CONFIRMED, Command.OBJECT: State.OBJECTED}


def next_state(state: State, review: Review | None, command: Command) -> State:
    """Return what a command makes of a claim. Raises ClaimSettled, NotForReview."""
    following = TRANSITIONS.get((state, review), {}).get(command)
    if following is not None:
        return following
    if (state, review) == (State.OPEN, None) and command in _DECIDED:
        raise NotForReview
    raise ClaimSettled(state=state.value, command=command.value)


def kind_of(place: str, attendance: str | None) -> str:
    """Say what was missed of a place in a state, by the state of its attendance, None without. Raises NothingMissed."""
    if place not in {PlaceState.MISSED, PlaceState.NO_SHOW} or attendance not in {None, "checked_in"}:
        raise NothingMissed(state=place)
    return "no_check_in" if attendance is None else "no_check_out"


def require_arrival(came: datetime | None) -> datetime:
    """Refuse to claim for somebody who was not checked in without saying when they came. Raises BadTimes."""
    if came is None:
        raise BadTimes(field="checked_in_at", expected="when the person came")
    return came


def require_same(*, is_same: bool) -> None:
    """Refuse a second claim that says something else than the first. Raises ClaimExists."""
    if not is_same:
        raise ClaimExists


@dataclass(frozen=True, slots=True)
class Terms:
    """Until when one claim is answered by the other side alone, and until when it is decided; both excluded."""

    answer_until: datetime
    decide_until: datetime


def terms_of(ends_at: datetime, zone: ZoneInfo, *, now: datetime, calendar: Calendar = PLAIN) -> Terms:
    """Return the terms of a claim that is made now.

    The other side has five of the seven working days, but two from a late claim on; then a reviewer has two. A claim in
    time is thus decided within the seven. Raises ClaimTooLate.
    """
    if now >= claim_until(ends_at, zone, calendar=calendar):
        raise ClaimTooLate(until=claim_until(ends_at, zone, calendar=calendar))
    early = calendar.after(day_of(ends_at, zone), DAYS_TO_CLAIM - DAYS_TO_ANSWER)
    late = calendar.after(day_of(now, zone), DAYS_TO_ANSWER)
    answer_on = max(early, late)
    decide_on = calendar.after(answer_on, DAYS_TO_ANSWER)
    return Terms(end_of(answer_on, zone), end_of(decide_on, zone))


def appeal_until(decided_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, a decision or an expiry of that instant can be appealed."""
    return end_of(calendar.after(day_of(decided_at, zone), DAYS_TO_APPEAL), zone)


def require_before(until: datetime, *, now: datetime) -> None:
    """Refuse what comes too late. Raises ClaimTooLate."""
    if now >= until:
        raise ClaimTooLate(until=until)


def require_second_key(
    *, claimed_by: Side, answering: Side | None, by: UUID, claimant: UUID, volunteer_id: UUID
) -> None:
    """Refuse an answer of the side, or of the person, that claims. Raises OwnClaim.

    A partner's member may be a volunteer as well: they are not both keys of their own claim.
    """
    is_both = answering is Side.PARTNER and by == volunteer_id
    if answering is not claimed_by.other or by == claimant or is_both:
        raise OwnClaim


def require_stranger(by: UUID, parties: Collection[UUID | None]) -> None:
    """Refuse to decide on a claim as one of those whom it is about, or who have spoken on it. Raises OwnClaim."""
    if by in parties:
        raise OwnClaim


def require_first_appeal(appealed_at: datetime | None) -> None:
    """Refuse a second appeal. Raises AppealedOnce."""
    if appealed_at is not None:
        raise AppealedOnce


def require_another_reviewer(first: UUID | None, by: UUID) -> None:
    """Refuse to decide an appeal against oneself. Raises SameReviewer."""
    if first == by:
        raise SameReviewer


def needs_review(*, below_minutes: int, minutes: int) -> bool:
    """Say whether a partner's confirmed claims go to a reviewer, by what a month of it amounts to so far."""
    return minutes >= LEAST_MINUTES and below_minutes * 100 > minutes * MOST_BELOW_SCANNED_PERCENT
