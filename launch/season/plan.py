"""Which shifts are held: by whom, on which day and when in the day. How long and with whom is decided later."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from launch.season.facts import Partner
from launch.season.form import Season

LIVE_SHIFTS = 3
_MONTH_WEIGHTS = (3, 3, 4, 4, 5, 7, 9, 10, 13, 14, 13, 11)  # January to December: few in spring, most in autumn.
_WEEKDAY_WEIGHTS = (2, 2, 2, 3, 3, 9, 7)  # Monday to Sunday: employees have time at the weekend.
_STARTS = ((540, 570, 600), (810, 840, 900), (1110, 1140, 1170))  # Minutes of the day: morning, afternoon, evening.
_PARTS_OF_WORKDAY = (1, 2, 7)
_PARTS_OF_WEEKEND = (5, 4, 1)
_SATURDAY = 5
_SIZES, _SIZE_WEIGHTS = (1, 2, 3, 4), (60, 20, 12, 8)  # Shifts of one listing.
_SAME_DAY_PERCENT = 25  # Of the listings with several shifts; the others repeat weekly.
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Slot:
    """A planned shift of the listing `listing` (from 0); it starts at `minute` of the local day at the latest."""

    listing: int
    partner: Partner
    on: date
    minute: int
    live: bool


@dataclass(frozen=True, slots=True, order=True)
class _Draft:
    """A listing to be: when its shifts are and whose it is. Ordered by time, then by partner."""

    times: tuple[tuple[date, int], ...]
    reference: str
    partner: Partner = field(compare=False)


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


def plan_slots(rng: Random, season: Season, partners: Sequence[Partner]) -> list[Slot]:
    """Plan as many shifts as were held, listing by listing in order of time; those of the live day come last."""
    held = season.reported.activities.held
    live = min(LIVE_SHIFTS, len(partners), max(1, held - 1))
    past = sorted(_draw_past(rng, season, _hosts(rng, partners), held - live))
    today = _draw_live(rng, season, partners, live)
    return [
        Slot(listing=number, partner=draft.partner, on=on, minute=minute, live=number >= len(past))
        for number, draft in enumerate([*past, *today])
        for on, minute in draft.times
    ]


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


def _draw_past(rng: Random, season: Season, hosts: _Hosts, count: int) -> Iterator[_Draft]:
    """Draw listings until they have `count` shifts, before the live day if there is a day before it."""
    end = season.reported.season.reporting_date
    days = _days(max(season.assumed.first_round, hosts.since[0]), end)
    weights = list(accumulate(_weight(day) for day in days))
    while count > 0:
        day = rng.choices(days, cum_weights=weights)[0]
        partner = hosts.draw(rng, day)
        times = _times(rng, day, last=days[-1])[:count]
        count -= len(times)
        yield _Draft(times=times, reference=partner.reference, partner=partner)


def _draw_live(rng: Random, season: Season, partners: Sequence[Partner], count: int) -> list[_Draft]:
    """Draw one listing with one shift on the reporting date for each of `count` different partners."""
    on = season.reported.season.reporting_date
    chosen = rng.sample(partners, count)
    drafts = (_Draft(times=((on, _minute(rng, on)),), reference=host.reference, partner=host) for host in chosen)
    return sorted(drafts)


def _days(first: date, end: date) -> list[date]:
    """List the days from `first` up to, not including, `end`; `end` alone when there is none before it."""
    return [first + timedelta(days=day) for day in range((end - first).days)] or [end]


def _weight(day: date) -> int:
    """Say how likely a day is to have a shift."""
    return _MONTH_WEIGHTS[day.month - 1] * _WEEKDAY_WEIGHTS[day.weekday()]


def _times(rng: Random, day: date, *, last: date) -> tuple[tuple[date, int], ...]:
    """Draw when the shifts of one listing are: once, several times that day, or weekly up to `last`."""
    size = rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
    if size > 1 and rng.randrange(100) < _SAME_DAY_PERCENT:
        return tuple((day, rng.choice(part)) for part in _STARTS[:size])
    minute = _minute(rng, day)
    days = (day + week * _WEEK for week in range(size))
    return tuple((on, minute) for on in days if on <= last)


def _minute(rng: Random, day: date) -> int:
    """Draw when a shift starts: after work, or in daytime at the weekend."""
    parts = _PARTS_OF_WEEKEND if day.weekday() >= _SATURDAY else _PARTS_OF_WORKDAY
    return rng.choice(rng.choices(_STARTS, parts)[0])
