"""What counts as having been there, and for how long. Source: DOMAIN.md section 4, "Attendance"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.activities.eligibility.rules import Interval as Dates
from services.activities.eligibility.rules import is_eligible
from shared.errors import Conflict, Invalid, Title

MINUTE = timedelta(minutes=1)


class State(StrEnum):
    """How one person's presence on one shift stands."""

    CHECKED_IN = "checked_in"
    SETTLED = "settled"  # By its current version.
    VOIDED = "voided"


class Command(StrEnum):
    """What can be done with it."""

    CHECK_OUT = "check_out"
    CORRECT = "correct"  # A later version says what really happened.
    VOID = "void"


TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (State.CHECKED_IN, Command.CHECK_OUT): State.SETTLED,
    (State.CHECKED_IN, Command.CORRECT): State.SETTLED,
    (State.SETTLED, Command.CORRECT): State.SETTLED,
    (State.SETTLED, Command.VOID): State.VOIDED,
}


class AttendanceVoided(Conflict):
    """The attendance was voided; it stays so."""

    code = "attendance_voided"
    title = Title(zh="该记录已作废", en="This attendance was voided")


class NotSettled(Conflict):
    """There is nothing settled to void."""

    code = "not_settled"
    title = Title(zh="该记录尚未结算", en="This attendance is not settled")


class BadTimes(Invalid):
    """A check-out must follow its check-in, by a day at most."""

    code = "bad_times"
    title = Title(zh="签退时间有误", en="The check-out time is wrong")


class InTheFuture(Invalid):
    """Nobody can have been there yet."""

    code = "in_the_future"
    title = Title(zh="时间在未来", en="This time is in the future")


def allows(state: str, command: Command) -> bool:
    """Say whether this can be done with an attendance in this state."""
    return (State(state), command) in TRANSITIONS


def require_decidable(state: str, command: Command) -> None:
    """Refuse what a reviewer cannot decide about an attendance. Raises AttendanceVoided, NotSettled."""
    if allows(state, command):
        return
    if state == State.VOIDED:
        raise AttendanceVoided
    raise NotSettled


def require_times(checked_in_at: datetime, checked_out_at: datetime, *, now: datetime) -> None:
    """Refuse times out of order, longer than a day or not yet past. Raises BadTimes, InTheFuture."""
    if checked_out_at > now:
        raise InTheFuture(field="checked_out_at")
    if not timedelta(0) < checked_out_at - checked_in_at <= timedelta(hours=24):
        raise BadTimes(field="checked_out_at", expected="after checked_in_at, at most 24 hours later")


def require_on_shift(
    checked_in_at: datetime, checked_out_at: datetime, *, starts_at: datetime, ends_at: datetime
) -> None:
    """Refuse a presence that never touches the shift: nobody means zero minutes, a void does. Raises BadTimes."""
    if checked_in_at >= ends_at or checked_out_at <= starts_at:
        raise BadTimes(field="checked_in_at", expected="a time on the shift", starts_at=starts_at, ends_at=ends_at)


class Counted(NamedTuple):
    """What a service comes to, in whole minutes: what happened, and what of it may become money."""

    service: int
    matchable: int


def count(minutes: int, *, employed: Sequence[Dates], service_on: date, agreed: int | None = None) -> Counted:
    """Say what the minutes of a service come to, in service and in what may become money.

    None may of who is not eligible on its date, and of work that is handed in no more than was `agreed` for what was
    accepted. Source: DOMAIN.md section 4, "Service minutes".
    """
    matchable = minutes if agreed is None else min(minutes, agreed)
    return Counted(minutes, matchable if is_eligible(employed, service_on) else 0)


def agreed_minutes(*, is_handed_in: bool, decided: int | None, known: int | None) -> int | None:
    """Say what may be matched of a service at most: None for no limit.

    Of work that is handed in it is what is `decided` now, else what was decided before (`known`), else nothing yet.
    """
    if not is_handed_in:
        return None
    return next((each for each in (decided, known) if each is not None), 0)


@dataclass(frozen=True, slots=True)
class Interval:
    """The whole minutes that one attendance covers, half-open."""

    attendance_id: UUID
    starts_at: datetime
    ends_at: datetime


def clip(
    checked_in_at: datetime, checked_out_at: datetime, *, starts_at: datetime, ends_at: datetime
) -> tuple[datetime, datetime]:
    """Return the whole minutes of a presence that lie within the shift; equal instants where none do.

    Both instants are cut to their minute, so that minutes of one person add up however their intervals meet.
    """
    start = max(cut(checked_in_at), starts_at)
    end = min(cut(checked_out_at), ends_at)
    return (start, end) if end > start else (min(start, ends_at), min(start, ends_at))


def cut(instant: datetime) -> datetime:
    """Return the minute that an instant lies in."""
    return instant.replace(second=0, microsecond=0)


def share_out(intervals: Iterable[Interval]) -> dict[UUID, int]:
    """Say how many minutes each attendance of one person adds to the union of all.

    A minute counts once, for the attendance that began first (then for the smaller id), whatever the order of arrival.
    """
    minutes: dict[UUID, int] = {}
    reach: datetime | None = None
    for interval in sorted(intervals, key=lambda item: (item.starts_at, item.attendance_id)):
        start = interval.starts_at if reach is None else max(interval.starts_at, reach)
        minutes[interval.attendance_id] = max((interval.ends_at - start) // MINUTE, 0)
        reach = interval.ends_at if reach is None else max(reach, interval.ends_at)
    return minutes


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one attendance; None for the interval takes its service away."""

    attendance_id: UUID
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another settled attendance of the same person, as it stands."""

    interval: Interval
    minutes: int


def settle_person(changes: Sequence[Change], neighbours: Sequence[Neighbour]) -> dict[UUID, int]:
    """Return the minutes of every changed attendance, and of each neighbour whose minutes change with them.

    `neighbours` are all other settled attendances of the one person whom `changes` are about.
    """
    changed = {change.attendance_id for change in changes}
    staying = [neighbour for neighbour in neighbours if neighbour.interval.attendance_id not in changed]
    intervals = [change.interval for change in changes if change.interval is not None]
    minutes = share_out([*intervals, *(neighbour.interval for neighbour in staying)])
    verdicts = {change.attendance_id: minutes.get(change.attendance_id, 0) for change in changes}
    for neighbour in staying:
        found = minutes[neighbour.interval.attendance_id]
        if found != neighbour.minutes:
            verdicts[neighbour.interval.attendance_id] = found
    return verdicts
