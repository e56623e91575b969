"""Calendars as programs subscribe to them: iCalendar (RFC 5545, RFC 7986), the same bytes for the same events.

Times are local to a zone that the calendar describes: some programs show what is in UTC as UTC. Without a METHOD,
DTSTAMP is when an event was changed last (RFC 5545 section 3.8.7.2), so that nothing depends on when it is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import icalendar

MEDIA_TYPE: Final = "text/calendar"
PRODUCT: Final = "-//Popcandy//Popcandy//ZH"
REFRESHED_EVERY: Final = timedelta(hours=1)
FORM: Final = 1  # Counts how often the way was changed in which the same events are written.
# What TEXT may not hold (RFC 5545 section 3.3.11), and what some readers take for the end of a line.
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Status(StrEnum):
    """Whether an event takes place."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Event:
    """An event, half-open. `uid` is its own for good; `sequence` and `changed_at` rise when it is moved or called off.

    One that is not `busy` leaves its time free for others.
    """

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    timezone: ZoneInfo
    status: Status
    summary: str
    description: str
    location: str | None = None
    is_busy: bool = True


@dataclass(frozen=True, slots=True)
class Calendar:
    """Events under a name; `uid` is the calendar's own for good."""

    uid: str
    name: str
    description: str
    events: Sequence[Event]


def essence_of(calendar: Calendar) -> bytes:
    """Return what differs whenever a calendar would be written otherwise, for far less than to write it."""
    return f"{FORM} {calendar!r}".encode()


def written(calendar: Calendar) -> bytes:
    """Write a calendar."""
    import icalendar  # noqa: PLC0415  Loaded when the first calendar is asked for: an eighth of a second, and 12 MB.

    made = icalendar.Calendar.new(  # Name and description also as X-WR-…, for programs that do not know RFC 7986.
        uid=calendar.uid, prodid=PRODUCT, name=_text(calendar.name), description=_text(calendar.description),
        subcomponents=[_event(each) for each in calendar.events],
    )  # fmt: skip
    made.add("refresh-interval", icalendar.vDuration(REFRESHED_EVERY), parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", icalendar.vDuration(REFRESHED_EVERY))
    if calendar.events:
        made.add_missing_timezones(*_years(calendar.events))
    return bytes(made.to_ical())


def _event(event: Event) -> "icalendar.Event":
    import icalendar  # noqa: PLC0415  As above.

    return icalendar.Event.new(
        uid=event.uid, sequence=event.sequence, stamp=event.changed_at, last_modified=event.changed_at,
        start=_local(event.starts_at, event.timezone), end=_local(event.ends_at, event.timezone),
        status=icalendar.STATUS(event.status.value), summary=_text(event.summary),
        location=_text(event.location) if event.location else None, description=_text(event.description),
        transparency=icalendar.TRANSP.OPAQUE if event.is_busy else icalendar.TRANSP.TRANSPARENT,
    )  # fmt: skip


def _local(instant: datetime, timezone: ZoneInfo) -> datetime:
    """Return a time in its zone; in an hour that comes twice the second has no other name than that in UTC."""
    local = instant.astimezone(timezone)
    return instant.astimezone(UTC) if local.fold else local


def _text(text: str) -> str:
    """Return a text with nothing in it that a calendar cannot hold; its line breaks stay, and are escaped."""
    return _UNFIT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def _years(events: Sequence[Event]) -> tuple[date, date]:
    """Return for which whole years time zones are described, a day more on each side for what is local."""
    first, last = min(each.starts_at for each in events), max(each.ends_at for each in events)
    return date((first - timedelta(days=1)).year, 1, 1), date((last + timedelta(days=1)).year + 1, 1, 1)
