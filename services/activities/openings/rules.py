"""When and where people look for work: parts of a week and of a day, and how cities are called."""

from datetime import datetime
from enum import StrEnum
from typing import Final

NOON: Final = 12  # From then on it is the afternoon.
EVENING: Final = 18
_CITY: Final = "市"


class Day(StrEnum):
    """On which days of a week; of a holiday nothing is known here."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"


class Part(StrEnum):
    """In which part of a day something starts, as its own clocks show it."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


HOURS: Final = {Part.MORNING: (0, NOON), Part.AFTERNOON: (NOON, EVENING), Part.EVENING: (EVENING, 24)}  # Half-open.


def part_of(local: datetime) -> Part:
    """Say in which part of a day a local time lies."""
    return next(part for part, (first, until) in HOURS.items() if first <= local.hour < until)


def spellings(city: str) -> tuple[str, str]:
    """Return how a city may be written: 上海 is 上海市."""
    plain = city.strip()
    short = plain.removesuffix(_CITY) or plain
    return short, f"{short}{_CITY}"
