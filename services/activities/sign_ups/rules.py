"""Who gets a place, and what becomes of it. Source: DOMAIN.md section 4, "Sign-up"."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.errors import Conflict, NotFound, Title


class State(StrEnum):
    """How one person stands with one shift."""

    WAITLISTED = "waitlisted"  # In the line for a place.
    OFFERED = "offered"  # A place is kept until the offer expires.
    CONFIRMED = "confirmed"  # Has a place.
    OFFER_EXPIRED = "offer_expired"  # Did not answer in time.
    WITHDRAWN = "withdrawn"  # Gave it back in time, left the line, or declined.
    LATE_WITHDRAWN = "late_withdrawn"  # Gave it back shortly before the start.
    EXCUSED = "excused"  # Could not come, and the host or an operator accepts why.
    CANCELLED_BY_HOST = "cancelled_by_host"  # The shift does not happen.
    ATTENDED = "attended"
    MISSED = "missed"  # Nothing was scanned; by itself no reproach (DOMAIN.md section 4).
    NO_SHOW = "no_show"  # The partner or a reviewer says that the person did not come.


class Command(StrEnum):
    """What can be done with a sign-up."""

    OFFER = "offer"
    ACCEPT = "accept"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    WITHDRAW_LATE = "withdraw_late"
    EXCUSE = "excuse"
    CANCEL = "cancel"
    ATTEND = "attend"
    MISS = "miss"
    MARK_NO_SHOW = "mark_no_show"
    TAKE = "take"  # From the line, without an offer: whoever comes first, shortly before the start.
    RETURN = "return"  # Sign up again, to a free place.
    RETURN_TO_LINE = "return_to_line"  # Sign up again, with none free.


LONGEST_OFFER: Final = timedelta(hours=24)
FIRST_COME_WITHIN: Final = timedelta(hours=3)  # Of the start: nobody has time to wait for an answer.

_S, _C = State, Command
TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (_S.WAITLISTED, _C.OFFER): _S.OFFERED,
    (_S.WAITLISTED, _C.TAKE): _S.CONFIRMED,
    (_S.WAITLISTED, _C.WITHDRAW): _S.WITHDRAWN,
    (_S.WAITLISTED, _C.CANCEL): _S.CANCELLED_BY_HOST,
    (_S.OFFERED, _C.ACCEPT): _S.CONFIRMED,
    (_S.OFFERED, _C.EXPIRE): _S.OFFER_EXPIRED,
    (_S.OFFERED, _C.WITHDRAW): _S.WITHDRAWN,
    (_S.OFFERED, _C.CANCEL): _S.CANCELLED_BY_HOST,
    (_S.CONFIRMED, _C.WITHDRAW): _S.WITHDRAWN,
    (_S.CONFIRMED, _C.WITHDRAW_LATE): _S.LATE_WITHDRAWN,
    (_S.CONFIRMED, _C.EXCUSE): _S.EXCUSED,
    (_S.CONFIRMED, _C.CANCEL): _S.CANCELLED_BY_HOST,
    (_S.CONFIRMED, _C.ATTEND): _S.ATTENDED,
    (_S.CONFIRMED, _C.MISS): _S.MISSED,
    (_S.CONFIRMED, _C.MARK_NO_SHOW): _S.NO_SHOW,
    (_S.MISSED, _C.CANCEL): _S.CANCELLED_BY_HOST,  # There was nothing to come to.
    (_S.MISSED, _C.ATTEND): _S.ATTENDED,  # A claim was confirmed, or upheld.
    (_S.MISSED, _C.EXCUSE): _S.EXCUSED,
    (_S.MISSED, _C.MARK_NO_SHOW): _S.NO_SHOW,
    (_S.NO_SHOW, _C.ATTEND): _S.ATTENDED,  # An appeal was upheld.
    (_S.NO_SHOW, _C.EXCUSE): _S.EXCUSED,
    (_S.WITHDRAWN, _C.RETURN): _S.CONFIRMED,
    (_S.WITHDRAWN, _C.RETURN_TO_LINE): _S.WAITLISTED,
    (_S.OFFER_EXPIRED, _C.RETURN): _S.CONFIRMED,
    (_S.OFFER_EXPIRED, _C.RETURN_TO_LINE): _S.WAITLISTED,
}
# Neither has ended: the person waits, is asked, or is expected.
PENDING: Final = frozenset({State.WAITLISTED, State.OFFERED, State.CONFIRMED})
# Has a place, as check-ins, rosters and claims mean it; afterwards too.
PLACED: Final = frozenset({State.CONFIRMED, State.ATTENDED, State.MISSED, State.NO_SHOW})
# What `shift.taken` counts: nobody else can have this place.
TAKING: Final = PLACED | {State.OFFERED}


class NotSignedUp(NotFound):
    """This person has no place on this shift."""

    code = "not_signed_up"
    title = Title(zh="您没有报名该场次", en="You are not signed up for this shift")


class SignUpClosed(Conflict):
    """In its state, this cannot be done with the sign-up; `state` and `command` say what."""

    code = "sign_up_closed"
    title = Title(zh="该报名的当前状态不允许此操作", en="The state of this sign-up does not allow it")


def next_state(state: str, command: Command) -> State:
    """Return what a command makes of a sign-up. Raises SignUpClosed."""
    following = TRANSITIONS.get((State(state), command))
    if following is None:
        raise SignUpClosed(state=state, command=command.value)
    return following


def sources(command: Command) -> list[State]:
    """Return the states in which a command can be given."""
    return [state for state, given in TRANSITIONS if given is command]


def target(command: Command) -> State:
    """Return the one state to which a command leads, whatever the state before."""
    (found,) = {after for (_, given), after in TRANSITIONS.items() if given is command}
    return found


def offer_until(*, starts_at: datetime, now: datetime) -> datetime | None:
    """Say until when a place that is free now is kept for the next in the line.

    That is half the time to the start, a day at most; None in the last hours: then whoever is first has it.
    """
    left = starts_at - now
    return None if left <= FIRST_COME_WITHIN else now + min(LONGEST_OFFER, left / 2)


def pseudonym(number: int) -> Title:
    """Return what somebody is called on a shift by those who may not see the name."""
    return Title(zh=f"志愿者 {number:02d}", en=f"Volunteer {number:02d}")
