"""Which shifts are proposed: by whom, for which day and when in the day. How long and with whom is decided later."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, count
from random import Random

from launch.season import calls
from launch.season.facts import Partner
from launch.season.form import Season

LIVE_SHIFTS = 3
CLAIM_DAYS = 6  # Before the reporting date: seven working days have not passed since.
_MONTH_WEIGHTS = (3, 3, 4, 4, 5, 7, 9, 10, 13, 14, 13, 11)  # January to December: few in spring, most in autumn.
_WEEKDAY_WEIGHTS = (2, 2, 2, 3, 3, 9, 7)  # Monday to Sunday: employees have time at the weekend.
_STARTS = ((540, 570, 600), (810, 840, 900), (1110, 1140, 1170))  # Minutes of the day: morning, afternoon, evening.
_PARTS_OF_WORKDAY = (1, 2, 7)
_PARTS_OF_WEEKEND = (5, 4, 1)
_SATURDAY = 5
_SIZES, _SIZE_WEIGHTS = (1, 2, 3, 4), (60, 20, 12, 8)  # Shifts of one series.
_SAME_DAY_PERCENT = 25  # Of the series with several shifts; the others repeat weekly.


@dataclass(frozen=True, slots=True)
class Slot:
    """A planned shift of a series of alike ones; it starts at `minute` of the local day at the latest.

    `round` is that in which it is proposed. What is missed on a `recent` one can still be claimed on the live day.
    """

    series: int
    partner: Partner
    on: date
    minute: int
    round: int
    live: bool
    recent: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The shifts that are held, those of the live day last, and those that are proposed and not held."""

    held: list[Slot]
    others: list[Slot]


@dataclass(frozen=True, slots=True, order=True)
class _Draft:
    """A shift to be: when it is and whose. Ordered by time, then by partner."""

    on: date
    minute: int
    reference: str
    partner: Partner = field(compare=False)
    series: int


@dataclass(frozen=True, slots=True)
class _Hosts:
    """Partners in the order in which their agreements begin, with the running total of how busy they are."""

    partners: tuple[Partner, ...]
    since: tuple[date, ...]
    busyness: tuple[int, ...]

    def draw(self, rng: Random, on: date) -> Partner:
        """Draw a partner whose agreement is valid on the day."""
        valid = bisect_right(self.since, on)
        return rng.choices(self.partners[:valid], cum_weights=self.busyness[:valid])[0]


def plan_slots(rng: Random, season: Season, partners: Sequence[Partner]) -> Plan:
    """Plan a shift for each proposal, in order of time; as many as were held are held, the last few on the live day."""
    said, series = season.reported.activities, count()
    able = [partner for partner in partners if partner.since <= calls.last_call(season)]
    live = min(LIVE_SHIFTS, len(able), max(1, said.held - 1))
    hosts = _hosts(rng, able)
    past = sorted(_draw_past(rng, season, hosts, said.held - live, series))
    today = _draw_live(rng, season, able, live, series)
    others = sorted(_draw_past(rng, season, hosts, said.proposals - said.held, series))
    return Plan(
        held=[*(_slot(season, draft) for draft in past), *(_slot(season, draft, live=True) for draft in today)],
        others=[_slot(season, draft) for draft in others],
    )


def _slot(season: Season, draft: _Draft, *, live: bool = False) -> Slot:
    recent = draft.on >= season.reported.season.reporting_date - timedelta(days=CLAIM_DAYS)
    number = calls.round_of(season, draft.on)
    return Slot(draft.series, draft.partner, draft.on, draft.minute, number, live=live, recent=recent)


def _hosts(rng: Random, partners: Sequence[Partner]) -> _Hosts:
    """Rank the partners by chance: the first few of any ranking do most of the work."""
    ranks = list(range(len(partners)))
    rng.shuffle(ranks)
    ranked = sorted(zip(partners, ranks, strict=True), key=lambda pair: pair[0].since)
    return _Hosts(
        partners=tuple(partner for partner, _ in ranked),
        since=tuple(partner.since for partner, _ in ranked),
        busyness=tuple(accumulate(1_000_000 // (rank + 4) for _, rank in ranked)),
    )


def _draw_past(rng: Random, season: Season, hosts: _Hosts, wanted: int, series: Iterator[int]) -> Iterator[_Draft]:
    """Draw `wanted` shifts, before the live day if there is a day before it; each was proposed in time."""
    end = season.reported.season.reporting_date
    days = _days(calls.first_day(season, hosts.since[0]), end)
    weights = list(accumulate(_weight(day) for day in days))
    while wanted > 0:
        day = rng.choices(days, cum_weights=weights)[0]
        partner = hosts.draw(rng, calls.call_day(season, calls.round_of(season, day)))
        times, number = _times(rng, day, last=days[-1])[:wanted], next(series)
        wanted -= len(times)
        yield from (_Draft(on, minute, partner.reference, partner, number) for on, minute in times)


def _draw_live(
    rng: Random, season: Season, partners: Sequence[Partner], wanted: int, series: Iterator[int]
) -> list[_Draft]:
    """Draw one shift on the reporting date for each of `wanted` different partners."""
    on = season.reported.season.reporting_date
    chosen = rng.sample(partners, wanted)
    return sorted(_Draft(on, _minute(rng, on), host.reference, host, next(series)) for host in chosen)


def _days(first: date, end: date) -> list[date]:
    """List the days from `first` up to, not including, `end`; `end` alone when there is none before it."""
    return [first + timedelta(days=day) for day in range((end - first).days)] or [end]


def _weight(day: date) -> int:
    """Say how likely a day is to have a shift."""
    return _MONTH_WEIGHTS[day.month - 1] * _WEEKDAY_WEIGHTS[day.weekday()]


def _times(rng: Random, day: date, *, last: date) -> tuple[tuple[date, int], ...]:
    """Draw when the shifts of one series are: once, several times that day, or weekly up to `last`."""
    size = rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
    if size > 1 and rng.randrange(100) < _SAME_DAY_PERCENT:
        return tuple((day, rng.choice(part)) for part in _STARTS[:size])
    minute = _minute(rng, day)
    days = (day + timedelta(days=calls.WEEK * week) for week in range(size))
    return tuple((on, minute) for on in days if on <= last)


def _minute(rng: Random, day: date) -> int:
    """Draw when a shift starts: after work, or in daytime at the weekend."""
    parts = _PARTS_OF_WEEKEND if day.weekday() >= _SATURDAY else _PARTS_OF_WORKDAY
    return rng.choice(rng.choices(_STARTS, parts)[0])
