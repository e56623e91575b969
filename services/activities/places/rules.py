"""When a place is taken, given back, and how late that is. Source: DOMAIN.md section 4, "Sign-up"."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.activities.sign_ups.rules import PENDING, PLACED, Command, State, next_state
from shared.errors import Conflict, Invalid, Title

LATE_WITHIN: Final = timedelta(hours=24)  # Of the start: nobody else can be found so quickly.
MOST_DAYS: Final = 31  # On one board.
MOST_DAYS_OF_FILL: Final = 366
CLOSES_BEFORE: Final = timedelta(minutes=30)  # When check-in opens, whoever does not come has missed it.


class ShiftFull(Conflict):
    """Every place is taken."""

    code = "shift_full"
    title = Title(zh="名额已满", en="The shift is full")


class ShiftOver(Conflict):
    """The shift has ended."""

    code = "shift_over"
    title = Title(zh="该场次已结束", en="This shift is over")


class TooManyDays(Invalid):
    """A board shows some days, in order; `most_days` says how many at most."""

    code = "too_many_days"
    title = Title(zh="日期区间有误或过长", en="These dates are in the wrong order, or too many")


class ShiftNear(Conflict):
    """Check-in has opened, or is over: now it is told by coming or not coming."""

    code = "shift_near"
    title = Title(zh="签到已开始，不能再更改报名", en="Check-in has opened; the sign-up cannot be changed any more")


class OverlappingShift(Conflict):
    """The person has a place elsewhere at that time; the facts name that shift."""

    code = "overlapping_shift"
    title = Title(zh="与您已报名的另一场次时间重叠", en="You have a place on another shift at that time")


class OfferOver(Conflict):
    """The place was kept until an instant that has passed."""

    code = "offer_over"
    title = Title(zh="该名额的保留时间已过", en="The place is not kept any longer")


class NoOffer(Conflict):
    """No place is kept for this person now; `state` says how they stand."""

    code = "no_offer"
    title = Title(zh="目前没有为您保留的名额", en="No place is kept for you now")


@dataclass(frozen=True, slots=True)
class Other:
    """Another shift on which somebody has a place, or is kept one."""

    shift_id: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """What a shift has to give; while it `awaits_draw`, all who sign up stand in the line."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    awaits_draw: bool = False

    @property
    def is_free(self) -> bool:
        """Whether somebody can have a place now."""
        return self.taken < self.capacity and not self.awaits_draw


def require_before_end(ends_at: datetime, *, now: datetime) -> None:
    """Refuse a place on a shift that has ended. Raises ShiftOver."""
    if now >= ends_at:
        raise ShiftOver(ended_at=ends_at)


def require_line(room: Room, *, now: datetime) -> None:
    """Refuse to stand in a line for a shift that has begun. Raises ShiftFull."""
    if now >= room.starts_at:
        raise ShiftFull(capacity=room.capacity)


def entry(room: Room, *, now: datetime) -> State:
    """Say what somebody's first sign-up comes to: a place, or one in the line. Raises ShiftOver, ShiftFull."""
    require_before_end(room.ends_at, now=now)
    if room.is_free:
        return State.CONFIRMED
    require_line(room, now=now)
    return State.WAITLISTED


def entry_again(room: Room, *, state: str, now: datetime) -> Command | None:
    """Say what signing up again comes to; None where nothing changes. Raises ShiftOver, ShiftFull, SignUpClosed."""
    if state == State.WAITLISTED and room.is_free:  # What is free while somebody waits is kept for nobody.
        return Command.TAKE
    if state in PENDING | PLACED:
        return None
    command = Command.RETURN if room.is_free else Command.RETURN_TO_LINE
    next_state(state, command)
    entry(room, now=now)
    return command


def withdrawal(state: str, *, starts_at: datetime, is_free: bool, now: datetime) -> Command:
    """Say how a sign-up is given back; `is_free` where the shift was moved since. Raises ShiftNear, SignUpClosed."""
    if state in {State.WAITLISTED, State.OFFERED}:
        return Command.WITHDRAW
    is_late = now > starts_at - LATE_WITHIN and not is_free
    command = Command.WITHDRAW_LATE if is_late else Command.WITHDRAW
    next_state(state, command)
    require_not_near(starts_at, now=now)
    return command


def require_not_near(starts_at: datetime, *, now: datetime) -> None:
    """Refuse to change a place once people may be coming. Raises ShiftNear."""
    if now >= starts_at - CLOSES_BEFORE:
        raise ShiftNear(closed_at=starts_at - CLOSES_BEFORE)


def require_excusable(state: str, *, starts_at: datetime, now: datetime) -> None:
    """Refuse to excuse who may be there: before check-in opens, or once it is known who came.

    Raises ShiftNear, SignUpClosed.
    """
    next_state(state, Command.EXCUSE)
    if state == State.CONFIRMED:
        require_not_near(starts_at, now=now)


def require_offered(state: str, *, expires_at: datetime | None, now: datetime) -> None:
    """Refuse to answer what was not asked, or too late. Raises NoOffer, OfferOver."""
    if state != State.OFFERED or expires_at is None:
        raise NoOffer(state=state)
    if now >= expires_at:
        raise OfferOver(expired_at=expires_at)


def require_no_overlap(other: Other | None) -> None:
    """Refuse two places at one time; adjacent ones are fine. Raises OverlappingShift."""
    if other is not None:
        raise OverlappingShift(shift_id=other.shift_id, starts_at=other.starts_at, ends_at=other.ends_at)


def require_days(since: date, until: date, *, most: int = MOST_DAYS) -> None:
    """Refuse an empty span of days, or one that is too long for a board. Raises TooManyDays."""
    if not timedelta(0) < until - since <= timedelta(days=most):
        raise TooManyDays(field="until", most_days=most)


@dataclass(frozen=True, slots=True)
class Fill:
    """How full shifts are, those that were called off left out. History may have had more people than places."""

    shifts: int = 0
    capacity: int = 0
    taken: int = 0

    @property
    def fill_permille(self) -> int | None:
        """Return the share of the places that are taken in thousandths, rounded half up; None without any places."""
        return (2_000 * self.taken + self.capacity) // (2 * self.capacity) if self.capacity else None

    def __add__(self, other: "Fill") -> "Fill":
        """Count both together."""
        return Fill(self.shifts + other.shifts, self.capacity + other.capacity, self.taken + other.taken)
