"""What may be published, and what becomes of a shift. Source: DOMAIN.md section 4, "Listing and shifts"."""

import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid, Title

LONGEST_SHIFT = timedelta(hours=24)
MOST_SHIFTS: Final = 200  # Of a listing that is published by itself.
SECRET_BYTES = 20  # 160 bits, as RFC 4226 section 4 recommends.


class ShiftState(StrEnum):
    """Where a shift stands. Whether it is full is no state: its places say so."""

    OPEN = "open"
    GO = "go"  # Somebody has decided that it happens.
    NO_GO = "no_go"  # Or that it does not.
    RUNNING = "running"  # Somebody has come.
    HELD = "held"  # Service on it was settled.
    NOT_RUN = "not_run"  # Its time came, and it did not happen.
    CANCELLED = "cancelled"


class ShiftCommand(StrEnum):
    """What can be done with a shift."""

    DECIDE_GO = "decide_go"
    DECIDE_NO_GO = "decide_no_go"
    START = "start"
    HOLD = "hold"
    RECORD_NOT_RUN = "record_not_run"
    CANCEL = "cancel"
    RESCHEDULE = "reschedule"


class ListingState(StrEnum):
    """Whether people may sign up for an activity's shifts."""

    PUBLISHED = "published"
    CLOSED = "closed"  # Nobody new; who has signed up serves.
    CANCELLED = "cancelled"


_S, _C = ShiftState, ShiftCommand
TRANSITIONS: Final = {
    (_S.OPEN, _C.DECIDE_GO): _S.GO,
    (_S.OPEN, _C.DECIDE_NO_GO): _S.NO_GO,
    (_S.OPEN, _C.START): _S.RUNNING,
    (_S.OPEN, _C.HOLD): _S.HELD,
    (_S.OPEN, _C.RECORD_NOT_RUN): _S.NOT_RUN,
    (_S.OPEN, _C.CANCEL): _S.CANCELLED,
    (_S.OPEN, _C.RESCHEDULE): _S.OPEN,  # It is decided anew whether it happens.
    (_S.GO, _C.DECIDE_NO_GO): _S.NO_GO,
    (_S.GO, _C.START): _S.RUNNING,
    (_S.GO, _C.HOLD): _S.HELD,
    (_S.GO, _C.RECORD_NOT_RUN): _S.NOT_RUN,
    (_S.GO, _C.CANCEL): _S.CANCELLED,
    (_S.GO, _C.RESCHEDULE): _S.OPEN,
    (_S.RUNNING, _C.HOLD): _S.HELD,
}
AHEAD: Final = frozenset({ShiftState.OPEN, ShiftState.GO})  # Nobody has come so far.
OFF: Final = frozenset({ShiftState.NO_GO, ShiftState.NOT_RUN, ShiftState.CANCELLED})  # It does not happen.


class BadShift(Invalid):
    """A shift's times cannot be; `field` says which."""

    code = "bad_shift"
    title = Title(zh="场次时间有误", en="The shift's times are wrong")


class ReferenceTaken(Conflict):
    """Another listing of the programme has this reference."""

    code = "reference_taken"
    title = Title(zh="该编号已被使用", en="This reference is already used")


class ShiftHasAttendance(Conflict):
    """Somebody has already checked in: the shift happens."""

    code = "shift_has_attendance"
    title = Title(zh="已有人签到，不能取消", en="Somebody has checked in; it cannot be cancelled")


class ShiftClosed(Conflict):
    """Nobody new may sign up for the shift."""

    code = "shift_closed"
    title = Title(zh="该活动已停止报名", en="Sign-up for this activity is closed")


class ShiftStateDiffers(Conflict):
    """In its state, this cannot be done with the shift; `state` and `command` say what."""

    code = "shift_state_differs"
    title = Title(zh="该场次的当前状态不允许此操作", en="The state of this shift does not allow it")


class ShiftCancelled(Conflict):
    """The shift does not happen: it was called off, by whatever decision."""

    code = "shift_cancelled"
    title = Title(zh="该场次已取消", en="This shift was cancelled")


@dataclass(frozen=True, slots=True)
class Times:
    """When a shift is, whole minutes, half-open."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """What work that is handed in is accepted by, and the minutes that were agreed for one accepted piece."""

    criteria: str
    minutes_per_piece: int


def require_times(times: Times) -> None:
    """Refuse times that are not whole minutes, in the wrong order, or longer than a day. Raises BadShift."""
    for field, instant in (("starts_at", times.starts_at), ("ends_at", times.ends_at)):
        if instant.second or instant.microsecond:
            raise BadShift(field=field, expected="whole minutes")
    if not timedelta(0) < times.ends_at - times.starts_at <= LONGEST_SHIFT:
        raise BadShift(field="ends_at", expected="after starts_at, at most 24 hours later")


def require_minimum(minimum: int, *, capacity: int) -> None:
    """Refuse a shift that could never have enough people. Raises BadShift."""
    if minimum > capacity:
        raise BadShift(field="minimum", expected="at most the capacity")


def next_state(state: str, command: ShiftCommand) -> ShiftState:
    """Return what a command makes of a shift. Raises ShiftHasAttendance, ShiftCancelled, ShiftStateDiffers."""
    following = TRANSITIONS.get((ShiftState(state), command))
    if following is not None:
        return following
    require_not_cancelled(state)
    if state in {ShiftState.RUNNING, ShiftState.HELD}:
        raise ShiftHasAttendance
    raise ShiftStateDiffers(state=state, command=command.value)


def sources(command: ShiftCommand) -> list[ShiftState]:
    """Return the states in which a command can be given."""
    return [state for state, given in TRANSITIONS if given is command]


def require_not_cancelled(state: str) -> None:
    """Refuse to go on with a shift that was called off. Raises ShiftCancelled."""
    if state in OFF:
        raise ShiftCancelled


def require_sign_ups(state: str, *, closed_at: datetime | None) -> None:
    """Refuse somebody new on a shift that does not happen, or is closed. Raises ShiftCancelled, ShiftClosed."""
    require_not_cancelled(state)
    if closed_at is not None:
        raise ShiftClosed(closed_at=closed_at)


def service_date(starts_at: datetime, timezone: ZoneInfo) -> date:
    """Return the local date on which a service starts; a shift over midnight belongs to its first day."""
    return starts_at.astimezone(timezone).date()


def new_code_secret() -> str:
    """Make the secret behind a shift's rotating code, in base 32."""
    return b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
