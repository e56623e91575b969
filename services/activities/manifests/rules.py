"""When days are counted over. Source: DOMAIN.md section 5, "Reconciliation"."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

BEGINS_AT: Final = timedelta(hours=2)  # On the programme's clocks: nobody serves, and the day before is over.


def night_of(now: datetime, zone: ZoneInfo) -> date:
    """Return which night it is in a zone: each begins at two o'clock, and lasts until the next."""
    return (now.astimezone(zone).replace(tzinfo=None) - BEGINS_AT).date()


def is_due(*, night: date, last: date | None) -> bool:
    """Say whether a night's count is still to be made; after an outage one count makes up for all nights before it."""
    return last is None or last < night


def counted_since(seen: int, *, newest: int) -> int:
    """Return from which transaction on attendance is looked at again, that is from 0 where numbers have begun anew.

    They do when a database is restored into another server; what was seen there says nothing here.
    """
    return seen if seen <= newest else 0
