"""What somebody has reached by their service. Source: DOMAIN.md section 4, "Record"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from shared.errors import Title

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class Badge:
    """What is shown to who has served for so many hours in all."""

    code: str
    hours: int
    title: Title


@dataclass(frozen=True, slots=True)
class Reached:
    """A badge, and the date of the service by which it was reached."""

    badge: Badge
    reached_on: date


BADGES: Sequence[Badge] = (
    Badge("hours_10", 10, Title(zh="起步 · 10 小时", en="First steps, 10 hours")),
    Badge("hours_50", 50, Title(zh="坚持 · 50 小时", en="Steady, 50 hours")),
    Badge("hours_100", 100, Title(zh="百时 · 100 小时", en="A hundred hours")),
    Badge("hours_300", 300, Title(zh="榜样 · 300 小时", en="An example, 300 hours")),
)


def reached(services: Iterable[tuple[date, int]]) -> list[Reached]:
    """Return the badges for services given as (date, minutes), oldest first, lowest badge first."""
    found: list[Reached] = []
    minutes = 0
    for served_on, more in services:
        minutes += more
        while len(found) < len(BADGES) and minutes >= BADGES[len(found)].hours * MINUTES_PER_HOUR:
            found.append(Reached(BADGES[len(found)], served_on))
    return found


def to_next(minutes: int) -> tuple[Badge, int] | None:
    """Return the next badge and the minutes that are missing for it; None for who has all."""
    ahead = (badge for badge in BADGES if badge.hours * MINUTES_PER_HOUR > minutes)
    badge = next(ahead, None)
    return None if badge is None else (badge, badge.hours * MINUTES_PER_HOUR - minutes)
