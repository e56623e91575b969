"""When each weekly round is: its call, its review, its publication; and in which of them a shift is proposed."""

from datetime import UTC, date, datetime, time, timedelta

from launch.season.facts import Round
from launch.season.form import Season

WEEK = 7
LEAD_DAYS = 5  # From the day on which a call opens to the first day of which its activities can be.
_OPENS, _CLOSES, _REVIEWED, _PUBLISHED = (0, 9 * 60), (2, 18 * 60), (3, 18 * 60), (4, 10 * 60)  # Day and its minute.


def local_instant(season: Season, day: date, minute: int = 0) -> datetime:
    """Say in UTC when a minute of a local day is."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=season.zone)
    return wall.astimezone(UTC)


def make_rounds(season: Season) -> tuple[Round, ...]:
    """Make as many weekly rounds as were opened, one call a week from the first one on."""
    return tuple(_round(season, number) for number in range(1, season.reported.season.rounds + 1))


def call_day(season: Season, number: int) -> date:
    """Say on which day a round's call opens; rounds count from 1."""
    return season.assumed.first_round + timedelta(days=WEEK * (number - 1))


def round_of(season: Season, on: date) -> int:
    """Name the round in which a shift of that day is proposed: the last one that is published before."""
    weeks = (on - season.assumed.first_round).days - LEAD_DAYS
    return min(season.reported.season.rounds, weeks // WEEK + 1)


def last_call(season: Season) -> date:
    """Say on which day the last call opens of which there can still be shifts by the day of the report."""
    return call_day(season, round_of(season, season.reported.season.reporting_date))


def first_day(season: Season, since: date) -> date:
    """Say from which day on there can be shifts of a partner whose agreement begins on `since`, up to the last call."""
    waits = max(0, (since - season.assumed.first_round).days)
    return call_day(season, -(-waits // WEEK) + 1) + timedelta(days=LEAD_DAYS)


def _round(season: Season, number: int) -> Round:
    def moment(days: int, minute: int) -> datetime:
        return local_instant(season, call_day(season, number) + timedelta(days=days), minute)

    opens, closes, reviewed, published = (moment(*each) for each in (_OPENS, _CLOSES, _REVIEWED, _PUBLISHED))
    return Round(number=number, opens_at=opens, closes_at=closes, review_by=reviewed, publish_at=published)
