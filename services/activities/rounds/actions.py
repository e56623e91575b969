"""What can be done with rounds: made ahead, turned by time, planned, moved, extended and cancelled by an operator."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.rounds import queries, rules
from services.activities.rounds.rules import Calendar, Command, Moment, State, Times
from services.activities.rounds.tables import Round, RoundCalendar
from shared import bus
from shared.events.activities_rounds import RoundClosed, RoundOpened
from shared.ids import new_id
from shared.seen import Seen
from shared.zones import zone

LOOKS_BACK = timedelta(weeks=2)  # What was made for a week is known, though it was moved and is over.
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """What an operator says of a programme's calendar."""

    timezone: str
    opens: Moment
    closes: Moment
    review: Moment
    publish: Moment
    weeks_ahead: int
    target: int


def set_calendar(tx: Session, facts: CalendarFacts, *, programme_id: UUID, seen: Seen, now: datetime) -> RoundCalendar:
    """Say when a programme's rounds are, and make the first of them; rounds that are made already stay as they are.

    Raises ReadFirst, ChangedSince, UnknownTimezone, BadRoundTimes.
    """
    zone(facts.timezone)
    queries.lock_planning(tx, programme_id)
    known = queries.find_calendar(tx, programme_id)
    seen.require_none() if known is None else seen.require(known)
    calendar = known or RoundCalendar(programme_id=programme_id)
    _set(calendar, facts, now)
    rules.require_calendar(_read(calendar))
    if known is None:
        tx.add(calendar)
    tx.flush()
    _make(tx, calendar, now=now)
    return calendar


def make_ahead(tx: Session, *, now: datetime) -> int:
    """Make the rounds of each programme's calendar that are missing for this week and those ahead; return how many."""
    return sum(_make_in_turn(tx, calendar.programme_id, now) for calendar in queries.list_calendars(tx))


def turn(tx: Session, *, now: datetime) -> int:
    """Open, close and publish the rounds whose time has come; return how many. What is left over is the next run's."""
    found = queries.lock_due(tx, now=now, most=MOST_AT_ONCE)
    for each in found:
        _turn(tx, each, now)
    return len(found)


def plan_round(tx: Session, times: Times, *, programme_id: UUID, target: int, now: datetime) -> Round:
    """Make a round beside the calendar's; one that is to be open already is so at once.

    Raises BadRoundTimes, RoundsOverlap.
    """
    rules.require_times(times, now=now)
    queries.lock_planning(tx, programme_id)
    rules.require_apart(times, queries.list_known(tx, programme_id=programme_id, since=times.opens_at))
    made = _add(tx, times, programme_id=programme_id, target=target)
    _turn(tx, made, now)
    return made


def move_round(
    tx: Session, times: Times, *, programme_id: UUID, round_id: UUID, because: str, seen: Seen, now: datetime
) -> Round:
    """Put a round that has not opened at another time.

    Raises NotFound, ChangedSince, WrongRoundState, BadRoundTimes, RoundsOverlap.
    """
    found = _lock_in_time(tx, programme_id=programme_id, round_id=round_id, seen=seen, now=now)
    rules.after(found.state, Command.MOVE)
    rules.require_times(times, now=now)
    _place(tx, found, times, because)
    _turn(tx, found, now)
    return found


def extend_round(
    tx: Session, closes_at: datetime, *, programme_id: UUID, round_id: UUID, because: str, seen: Seen, now: datetime
) -> Round:
    """Keep an open round open for longer; review and publication are put off by as much.

    Raises NotFound, ChangedSince, WrongRoundState, BadRoundTimes, RoundsOverlap.
    """
    found = _lock_in_time(tx, programme_id=programme_id, round_id=round_id, seen=seen, now=now)
    rules.after(found.state, Command.EXTEND)
    _place(tx, found, rules.extended(_times(found), closes_at), because)
    return found


def cancel_round(tx: Session, *, programme_id: UUID, round_id: UUID, because: str, seen: Seen, now: datetime) -> Round:
    """Call a round off before it closes; again changes nothing. The calendar does not make the week's round anew.

    Raises NotFound, ChangedSince, WrongRoundState.
    """
    found = _lock_in_time(tx, programme_id=programme_id, round_id=round_id, seen=seen, now=now)
    if found.state == State.CANCELLED:
        return found
    was_open = found.state == State.OPEN
    found.state, found.cancelled_because = rules.after(found.state, Command.CANCEL).value, because
    if was_open:
        bus.emit(tx, _closed(found, at=now))
    return found


def _lock_in_time(tx: Session, *, programme_id: UUID, round_id: UUID, seen: Seen, now: datetime) -> Round:
    """Lock a round for a decision on a reading of it, as time has left it: its timer may be late."""
    queries.lock_planning(tx, programme_id)
    found = queries.lock_round(tx, programme_id=programme_id, round_id=round_id)
    seen.require(found)
    _turn(tx, found, now)
    return found


def _turn(tx: Session, found: Round, now: datetime) -> None:
    """Do with a locked round what its times say, and tell it."""
    for command in list(rules.due(found.state, _times(found), now=now)):
        found.state = rules.after(found.state, command).value
        if command is Command.OPEN:
            bus.emit(tx, _opened(found))
        elif command is Command.CLOSE:
            bus.emit(tx, _closed(found, at=found.closes_at))


def _place(tx: Session, found: Round, times: Times, because: str) -> None:
    """Give a locked round other times; of those that are planned at once the lock of planning lets one in."""
    others = queries.list_known(tx, programme_id=found.programme_id, since=times.opens_at, besides=found.id)
    rules.require_apart(times, others)
    for name, instant in asdict(times).items():
        setattr(found, name, instant)
    found.moved_because = because


def _make_in_turn(tx: Session, programme_id: UUID, now: datetime) -> int:
    queries.lock_planning(tx, programme_id)
    calendar = queries.get_calendar(tx, programme_id)
    tx.refresh(calendar)  # Somebody may have set it anew before we had the lock.
    return _make(tx, calendar, now=now)


def _make(tx: Session, calendar: RoundCalendar, *, now: datetime) -> int:
    """Make what is missing, under the lock of planning."""
    programme_id = calendar.programme_id
    known = queries.list_known(tx, programme_id=programme_id, since=now - LOOKS_BACK)
    missing = list(rules.weeks_to_make(_read(calendar), zone(calendar.timezone), known, now=now))
    for week_on, times in missing:
        _turn(tx, _add(tx, times, programme_id=programme_id, target=calendar.target, week_on=week_on), now)
    return len(missing)


def _add(tx: Session, times: Times, *, programme_id: UUID, target: int, week_on: date | None = None) -> Round:
    made = Round(
        id=new_id(),
        programme_id=programme_id,
        number=queries.last_number(tx, programme_id) + 1,
        week_on=week_on,
        target=target,
        state=State.PLANNED.value,
        **asdict(times),
    )
    tx.add(made)
    tx.flush()
    return made


def _set(calendar: RoundCalendar, facts: CalendarFacts, now: datetime) -> None:
    calendar.timezone, calendar.since = facts.timezone, now
    calendar.weeks_ahead, calendar.target = facts.weeks_ahead, facts.target
    for name in ("opens", "closes", "review", "publish"):
        moment: Moment = getattr(facts, name)
        setattr(calendar, f"{name}_weekday", moment.weekday)
        setattr(calendar, f"{name}_time", moment.time)


def _read(calendar: RoundCalendar) -> Calendar:
    return Calendar(
        opens=Moment(calendar.opens_weekday, calendar.opens_time),
        closes=Moment(calendar.closes_weekday, calendar.closes_time),
        review=Moment(calendar.review_weekday, calendar.review_time),
        publish=Moment(calendar.publish_weekday, calendar.publish_time),
        weeks_ahead=calendar.weeks_ahead,
        since=calendar.since,
    )


def _times(found: Round) -> Times:
    return Times(found.opens_at, found.closes_at, found.review_by, found.publish_at)


def _opened(found: Round) -> RoundOpened:
    return RoundOpened(
        programme_id=found.programme_id, round_id=found.id, number=found.number, target=found.target,
        **asdict(_times(found)),
    )  # fmt: skip


def _closed(found: Round, *, at: datetime) -> RoundClosed:
    return RoundClosed(
        programme_id=found.programme_id, round_id=found.id, number=found.number, closed_at=at,
        review_by=found.review_by, publish_at=found.publish_at, is_cancelled=found.state == State.CANCELLED,
    )  # fmt: skip
