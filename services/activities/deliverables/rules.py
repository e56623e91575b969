"""When work is handed in, and how often it is asked for again. Source: DOMAIN.md section 4.

`due → submitted → revision_requested (at most twice) → accepted | partially_accepted | rejected`, `overdue →
abandoned`; the partner's silence accepts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Conflict, Title
from shared.working_days import PLAIN, Calendar, day_of, end_of

DAYS_TO_SUBMIT: Final = 3  # Working days after the shift's last day, or after the day on which a revision is asked for.
DAYS_TO_ANSWER: Final = 5  # Working days after the day of the submission; then silence accepts.
DAYS_OVERDUE: Final = 5  # Working days after the day on which it is told that nothing came.
MOST_REVISIONS: Final = 2
MOST_PIECES: Final = 1_000
SHIFTS_AT_ONCE: Final = 200
LATE: Final = timedelta(days=1)  # After an outage that was longer, the days are counted from its end.


class State(StrEnum):
    """How the work that one place owes stands."""

    DUE = "due"
    SUBMITTED = "submitted"  # The partner is asked.
    REVISION_REQUESTED = "revision_requested"
    ACCEPTED = "accepted"
    PARTIALLY_ACCEPTED = "partially_accepted"
    REJECTED = "rejected"
    OVERDUE = "overdue"  # Nothing came in time; it still may.
    ABANDONED = "abandoned"
    RELEASED = "released"  # The place was excused, called off or taken back: nothing is owed any more.


class Command(StrEnum):
    """What can be done with it."""

    SUBMIT = "submit"
    REQUEST_REVISION = "request_revision"
    ACCEPT = "accept"
    ACCEPT_PARTLY = "accept_partly"
    REJECT = "reject"
    LAPSE = "lapse"  # It becomes overdue.
    ABANDON = "abandon"
    RELEASE = "release"


_S, _C = State, Command
TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (_S.DUE, _C.SUBMIT): _S.SUBMITTED,
    (_S.DUE, _C.LAPSE): _S.OVERDUE,
    (_S.DUE, _C.RELEASE): _S.RELEASED,
    (_S.SUBMITTED, _C.REQUEST_REVISION): _S.REVISION_REQUESTED,
    (_S.SUBMITTED, _C.ACCEPT): _S.ACCEPTED,
    (_S.SUBMITTED, _C.ACCEPT_PARTLY): _S.PARTIALLY_ACCEPTED,
    (_S.SUBMITTED, _C.REJECT): _S.REJECTED,
    (_S.SUBMITTED, _C.RELEASE): _S.RELEASED,
    (_S.REVISION_REQUESTED, _C.SUBMIT): _S.SUBMITTED,
    (_S.REVISION_REQUESTED, _C.LAPSE): _S.OVERDUE,
    (_S.REVISION_REQUESTED, _C.RELEASE): _S.RELEASED,
    (_S.OVERDUE, _C.SUBMIT): _S.SUBMITTED,
    (_S.OVERDUE, _C.ABANDON): _S.ABANDONED,
    (_S.OVERDUE, _C.RELEASE): _S.RELEASED,
}
OPEN: Final = frozenset(state for state, _ in TRANSITIONS)
OWING: Final = frozenset({PlaceState.CONFIRMED, PlaceState.ATTENDED})  # Places; who was scanned owes it as well.


class DeliverableClosed(Conflict):
    """In its state, this cannot be done with the work; `state` and `command` say what."""

    code = "deliverable_closed"
    title = Title(zh="该交付物的当前状态不允许此操作", en="The state of this work does not allow it")


class NothingOwed(Conflict):
    """The place was given up, excused or called off: no work is owed for it."""

    code = "nothing_owed"
    title = Title(zh="该报名已取消，无需交付", en="This place was given up; no work is owed for it")


class RevisionsUsedUp(Conflict):
    """Work is asked for again twice at most; then it is accepted, in part or not at all."""

    code = "revisions_used_up"
    title = Title(zh="修改次数已用完", en="The work was asked for again twice already")


class UnchangedSubmission(Conflict):
    """What is sent in is what a revision was asked for of."""

    code = "unchanged_submission"
    title = Title(zh="内容与上次提交相同，请修改后再提交", en="This is what was sent in before; revise it first")


def next_state(state: State, command: Command) -> State:
    """Return what a command makes of the work. Raises DeliverableClosed."""
    following = TRANSITIONS.get((state, command))
    if following is None:
        raise DeliverableClosed(state=state.value, command=command.value)
    return following


def is_owed(place: str) -> bool:
    """Say whether a place in this state owes work: expected, or known to have been there."""
    return place in OWING


def require_owed(place: str) -> None:
    """Refuse what is done with the work of a place that owes none. Raises NothingOwed."""
    if not is_owed(place):
        raise NothingOwed(place=place)


def require_revisions_left(revisions: int) -> None:
    """Refuse to ask for the work once more. Raises RevisionsUsedUp."""
    if revisions >= MOST_REVISIONS:
        raise RevisionsUsedUp(most=MOST_REVISIONS)


def is_repeated(state: State, *, is_same: bool) -> bool:
    """Say whether a submission is the one that the partner has already. Raises UnchangedSubmission.

    `is_same`: it holds what the last one held. A retry that arrives after a revision was asked for must not use it up.
    """
    if not is_same:
        return False
    if state is State.REVISION_REQUESTED:
        raise UnchangedSubmission
    return state is State.SUBMITTED


def due_until(ends_at: datetime, zone: ZoneInfo, *, now: datetime, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, the work of a shift that ended then is due, where it is told `now`.

    Whoever is told late, for we were not there, has the same days from then on.
    """
    since = ends_at if now - ends_at <= LATE else now
    return end_of(calendar.after(day_of(since, zone), DAYS_TO_SUBMIT), zone)


def revise_until(asked_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, a revision that is asked for then is due."""
    return end_of(calendar.after(day_of(asked_at, zone), DAYS_TO_SUBMIT), zone)


def answer_until(submitted_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, the partner can say otherwise of what is handed in then."""
    return end_of(calendar.after(day_of(submitted_at, zone), DAYS_TO_ANSWER), zone)


def abandoned_at(overdue_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return when nothing is expected any more of who was told then that it is overdue.

    Counted from when it is told: who could hand nothing in while we were away has these days in any case. They end
    after what was missed on the shift can be claimed (`closings.rules.claim_until`): there is nothing to claim then.
    """
    return end_of(calendar.after(day_of(overdue_at, zone), DAYS_OVERDUE), zone)
