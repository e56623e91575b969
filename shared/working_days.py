"""Working days: Monday to Friday, but holidays, and the weekend days that are worked instead.

Source: DOMAIN.md section 3, "Programme" (its calendar belongs to the partners service). Until that tells its days, the
callers here use `PLAIN`, which knows weekends alone: around holidays a term then ends earlier than it will.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days differ from the week's rule: holidays, and make-up workdays 调休 at weekends."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Say whether a day is worked; a make-up workday that is a holiday as well is one."""
        return day in self.workdays or (day.weekday() < _SATURDAY and day not in self.holidays)

    def after(self, day: date, days: int) -> date:
        """Return the `days`-th working day after a day, which itself is not counted; 0 is the day."""
        while days > 0:
            day += _DAY
            days -= self.is_working(day)
        return day


PLAIN: Final = Calendar()


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local date of an instant."""
    return instant.astimezone(zone).date()


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, after a local day."""
    return datetime.combine(day + _DAY, time(), tzinfo=zone).astimezone(UTC)
