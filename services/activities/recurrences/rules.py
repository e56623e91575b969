"""Shifts that repeat from week to week, written out at once as shifts. Source: DOMAIN.md section 4, decision 0061.

A repetition is a way to say many shifts, and stands nowhere afterwards: nothing recurs for ever.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count, islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from shared.errors import Invalid, Title

LAST_YEAR: Final = 2199  # As the doors take dates.
MOST_WEEKS: Final = 52  # From one week of shifts to the next.


class BadRepetition(Invalid):
    """A shift cannot be repeated so; `field` says what of it is wrong, `expected` what it may be."""

    code = "bad_repetition"
    title = Title(zh="场次的重复规则有误", en="The shift cannot be repeated so")


class TooManyShifts(Invalid):
    """With its repetitions there are more shifts than there may be; `most` says how many those are."""

    code = "too_many_shifts"
    title = Title(zh="重复后的场次过多", en="That comes to too many shifts")


class UnclearLocalTime(Invalid):
    """On one of the dates (`on`) the clocks skip the time (`at`) or show it twice: leave the date out."""

    code = "unclear_local_time"
    title = Title(
        zh="其中一天因夏令时切换没有该时刻或出现两次，请排除该日期并单独填写",
        en="On one date the clocks skip that time, or show it twice: leave it out, and give that shift by itself",
    )


@dataclass(frozen=True, slots=True)
class Repetition:
    """On which weekdays (1 is Monday) a shift is held again, in every so many weeks, but not `except_on`.

    Up to `until`, which is excluded, or `count` times with the first and with those that are left out.
    """

    weekdays: frozenset[int] = frozenset()  # None: the first shift's own.
    every_weeks: int = 1
    until: date | None = None
    count: int | None = None
    except_on: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """A shift as it is planned, half-open, with how it repeats."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    minimum: int = 1
    repeats: Repetition | None = None


def written_out(shifts: Iterable[Planned], *, timezone: ZoneInfo, most: int) -> list[Planned]:
    """Return shifts with each repetition written out where it stands, soonest first, as shifts that do not repeat.

    Local time is kept, whatever the clocks do; the first shift keeps the instants that it was given.
    Raises BadRepetition, TooManyShifts, UnclearLocalTime.
    """
    found: list[Planned] = []
    for place, shift in enumerate(shifts):
        field = f"shifts.{place}"
        found += [shift] if shift.repeats is None else _repeated(shift, shift.repeats, timezone, field, most)
        if len(found) > most:
            raise TooManyShifts(field=field, most=most)
    return found


def days(repetition: Repetition, first: date) -> Iterator[date]:
    """Yield the dates of a repetition whose first is given, those that are left out as well; it may not end.

    Weeks begin on Monday (ISO 8601), so "every second week" counts from the Monday before the first date.
    """
    monday = first - timedelta(days=first.weekday())
    weekdays = sorted(repetition.weekdays or {first.isoweekday()})
    weeks = (monday + timedelta(weeks=week) for week in count(0, repetition.every_weeks))
    every = chain.from_iterable((week + timedelta(days=weekday - 1) for weekday in weekdays) for week in weeks)
    for day in islice((day for day in every if day >= first), repetition.count):
        if repetition.until is not None and day >= repetition.until:
            return
        yield day


def _repeated(shift: Planned, repetition: Repetition, timezone: ZoneInfo, field: str, most: int) -> list[Planned]:
    first = shift.starts_at.astimezone(timezone).date()
    _require_sound(repetition, first, field)
    on = _kept(repetition, first, field, most)
    held = [shift if day == first else _moved(shift, (day - first).days, timezone, field) for day in on]
    if any(later.starts_at < earlier.ends_at for earlier, later in pairwise(held)):
        raise BadRepetition(field=f"{field}.ends_at", expected="an end before the next of them starts")
    return [replace(each, repeats=None) for each in held]


def _require_sound(repetition: Repetition, first: date, field: str) -> None:
    if (repetition.until is None) == (repetition.count is None):
        raise BadRepetition(field=f"{field}.repeats", expected="until or count")
    if repetition.weekdays and first.isoweekday() not in repetition.weekdays:
        raise BadRepetition(field=f"{field}.repeats.weekdays", expected="the first shift's own among them")
    if repetition.until is not None and repetition.until <= first:
        raise BadRepetition(field=f"{field}.repeats.until", expected="later than the first shift")


def _kept(repetition: Repetition, first: date, field: str, most: int) -> list[date]:
    """Return the dates that are not left out, looking no further than there may be any."""
    bound = most + len(repetition.except_on)
    every = list(islice(days(repetition, first), bound + 1))
    if len(every) > bound:
        raise TooManyShifts(field=f"{field}.repeats", most=most)
    if every[-1].year > LAST_YEAR:
        raise BadRepetition(field=f"{field}.repeats", expected=f"years up to {LAST_YEAR}")
    if not repetition.except_on <= set(every):
        raise BadRepetition(field=f"{field}.repeats.except_on", expected="dates on which it would be held")
    kept = [day for day in every if day not in repetition.except_on]
    if not kept:
        raise BadRepetition(field=f"{field}.repeats.except_on", expected="one date left at least")
    return kept


def _moved(shift: Planned, later: int, timezone: ZoneInfo, field: str) -> Planned:
    """Return a shift so many days later, as its local clocks show it."""
    starts_at, ends_at = (
        _instant(each.astimezone(timezone).replace(tzinfo=None) + timedelta(days=later), timezone, field)
        for each in (shift.starts_at, shift.ends_at)
    )
    return replace(shift, starts_at=starts_at, ends_at=ends_at)


def _instant(naive: datetime, timezone: ZoneInfo, field: str) -> datetime:
    """Return the one instant of a local time. Raises UnclearLocalTime where there is none, or two."""
    local = naive.replace(tzinfo=timezone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise UnclearLocalTime(field=f"{field}.repeats", on=naive.date(), at=f"{naive:%H:%M}")
    return local.astimezone(UTC)
