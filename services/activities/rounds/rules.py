"""When rounds are, and what may be done with them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid, Title

WEEK = timedelta(weeks=1)
SHORTEST_CALL = timedelta(hours=2)  # Longer than any zone's clocks jump.


class State(StrEnum):
    """What a round is; `published` says that its time to publish has come."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class Command(StrEnum):
    """What is done with a round: the first three by timer alone, the others by an operator."""

    OPEN = "open"
    CLOSE = "close"
    PUBLISH = "publish"
    MOVE = "move"
    EXTEND = "extend"
    CANCEL = "cancel"


TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (State.PLANNED, Command.OPEN): State.OPEN,
    (State.OPEN, Command.CLOSE): State.CLOSED,
    (State.CLOSED, Command.PUBLISH): State.PUBLISHED,
    (State.PLANNED, Command.MOVE): State.PLANNED,
    (State.OPEN, Command.EXTEND): State.OPEN,
    (State.PLANNED, Command.CANCEL): State.CANCELLED,
    (State.OPEN, Command.CANCEL): State.CANCELLED,
}


class WrongRoundState(Conflict):
    """A round in this `state` does not allow what is asked for."""

    code = "wrong_round_state"
    title = Title(zh="本轮招募的当前状态不允许此操作", en="The round's state does not allow this")


class BadRoundTimes(Invalid):
    """A round's moments are not in order, or already over; `field` says which."""

    code = "bad_round_times"
    title = Title(zh="本轮招募的时间有误", en="The round's times are wrong")


class RoundsOverlap(Conflict):
    """Another round of the programme is open in part of that time; `number` says which."""

    code = "rounds_overlap"
    title = Title(zh="与另一轮招募的开放时间重叠", en="Another round is open in part of that time")


class NoOpenRound(Conflict):
    """No round of the programme is open now."""

    code = "no_open_round"
    title = Title(zh="当前没有开放的招募", en="No round is open now")


@dataclass(frozen=True, slots=True)
class Times:
    """A round's moments; open for proposals within [opens_at, closes_at)."""

    opens_at: datetime
    closes_at: datetime
    review_by: datetime
    publish_at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A weekday, 1 for Monday to 7, and a time of that day."""

    weekday: int
    time: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a programme's rounds are, week by week: each moment is the first of its kind after the one before.

    Nothing is made whose opening lies before `since`: who sets a calendar does not open last Monday's call.
    """

    opens: Moment
    closes: Moment
    review: Moment
    publish: Moment
    weeks_ahead: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """A round that is there; `week_on` is the Monday for which a calendar made it."""

    number: int
    week_on: date | None
    opens_at: datetime
    closes_at: datetime
    state: str


def after(state: str, command: Command) -> State:
    """Return the state that a command leads to. Raises WrongRoundState."""
    following = TRANSITIONS.get((State(state), command))
    if following is None:
        raise WrongRoundState(state=state)
    return following


def due(state: str, times: Times, *, now: datetime) -> Iterator[Command]:
    """Say what time does to a round, in order; after an outage that may be several things."""
    steps = (Command.OPEN, times.opens_at), (Command.CLOSE, times.closes_at), (Command.PUBLISH, times.publish_at)
    for command, at in steps:
        if (following := TRANSITIONS.get((State(state), command))) is not None and at <= now:
            state = following
            yield command


def require_times(times: Times, *, now: datetime) -> None:
    """Refuse moments that are not in order, and a call that is over before anybody hears it. Raises BadRoundTimes."""
    if times.closes_at <= times.opens_at:
        raise BadRoundTimes(field="closes_at", expected="after opens_at")
    if times.closes_at <= now:
        raise BadRoundTimes(field="closes_at", expected="in the future")
    if times.review_by < times.closes_at:
        raise BadRoundTimes(field="review_by", expected="not before closes_at")
    if times.publish_at < times.review_by:
        raise BadRoundTimes(field="publish_at", expected="not before review_by")


def extended(times: Times, closes_at: datetime) -> Times:
    """Return the moments with a later end; what follows it is put off by as much. Raises BadRoundTimes."""
    if closes_at <= times.closes_at:
        raise BadRoundTimes(field="closes_at", expected="later than now planned")
    longer = closes_at - times.closes_at
    return Times(times.opens_at, closes_at, times.review_by + longer, times.publish_at + longer)


def require_apart(times: Times, known: Iterable[Known]) -> None:
    """Refuse to be open while another round is, so that a proposal has one round. Raises RoundsOverlap."""
    for other in known:
        if _overlaps(times, other):
            raise RoundsOverlap(number=other.number)


def require_calendar(calendar: Calendar) -> None:
    """Refuse a calendar whose calls are over at once. Raises BadRoundTimes."""
    monday = datetime(2001, 1, 1)  # noqa: DTZ001  A Monday as clocks show it, in whatever zone.
    opens, closes, *_ = _moments(calendar, monday)
    if closes - opens < SHORTEST_CALL:
        raise BadRoundTimes(field="closes", expected="at least 2 hours after opens")


def weeks_to_make(
    calendar: Calendar, zone: ZoneInfo, known: Iterable[Known], *, now: datetime
) -> Iterator[tuple[date, Times]]:
    """Say which rounds of a calendar are missing: of this week and those ahead, each with its week's Monday.

    A week counts as made however its round was moved or cancelled since; one in whose time another round is open has
    that one; one whose call would be over already is left out. So it does not matter how late or how often this runs.
    """
    known = list(known)
    made = {other.week_on for other in known}
    today = now.astimezone(zone).date()
    this_week = today - timedelta(days=today.weekday())
    for ahead in range(-1, calendar.weeks_ahead + 1):  # Last week's call may still be open.
        week_on = this_week + ahead * WEEK
        times = times_of(calendar, zone, week_on)
        is_wanted = times.opens_at >= calendar.since and times.closes_at > now and week_on not in made
        if is_wanted and not any(_overlaps(times, other) for other in known):
            yield week_on, times


def times_of(calendar: Calendar, zone: ZoneInfo, week_on: date) -> Times:
    """Return the moments of a week's round as instants; what a zone skips or repeats is taken as before the change."""
    local = _moments(calendar, datetime.combine(week_on, time()))
    opens, closes, review, publish = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in local)
    review = max(closes, review)
    return Times(opens, closes, review, max(review, publish))


def _moments(calendar: Calendar, monday: datetime) -> tuple[datetime, datetime, datetime, datetime]:
    """Return the moments as clocks show them; publishing may be at the very end of the review."""
    opens = _next(monday, calendar.opens)
    closes = _next(opens, calendar.closes, later=True)
    review = _next(closes, calendar.review, later=True)
    return opens, closes, review, _next(review, calendar.publish)


def _next(start: datetime, moment: Moment, *, later: bool = False) -> datetime:
    """Return the first such moment that is not before `start`, or is later."""
    days = (moment.weekday - 1 - start.weekday()) % 7
    found = datetime.combine(start.date() + timedelta(days=days), moment.time)
    is_past = found < start or (later and found == start)
    return found + WEEK if is_past else found


def _overlaps(times: Times, other: Known) -> bool:
    is_there = other.state != State.CANCELLED
    return is_there and times.opens_at < other.closes_at and other.opens_at < times.closes_at
