"""Turn what was drawn for each shift into listings and attendances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from launch.season.attendance import Guest
from launch.season.facts import Attendance, Listing, Mode, Portion, Shift, Volunteer
from launch.season.form import Season
from launch.season.plan import Slot

_LATEST_END = 22 * 60  # Minute of the local day: nothing is synthesised across midnight.


@dataclass(frozen=True, slots=True)
class Kind:
    """What is done in a listing, and how."""

    title: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Occasion:
    """A planned shift with all that was drawn for it; `guests` and `volunteers` are in the same order."""

    slot: Slot
    kind: Kind
    duration: int
    capacity: int
    guests: Sequence[Guest]
    volunteers: Sequence[Volunteer]


def local_instant(season: Season, day: date, minute: int = 0) -> datetime:
    """Say in UTC when a minute of a local day is."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=season.zone)
    return wall.astimezone(UTC)


def make_portion(season: Season, occasions: Iterable[Occasion]) -> Portion:
    """Assemble occasions, which come listing by listing, and in order of time within each."""
    listings: list[Listing] = []
    attendances: list[Attendance] = []
    for number, group in groupby(occasions, key=lambda occasion: occasion.slot.listing):
        listing, rows = _make_listing(season, f"A{number + 1:05d}", list(group))
        listings.append(listing)
        attendances += rows
    return Portion(tuple(listings), tuple(attendances))


def _make_listing(season: Season, reference: str, group: Sequence[Occasion]) -> tuple[Listing, list[Attendance]]:
    """Make one listing and the attendances of all its shifts."""
    first = group[0]
    shifts = tuple(_make_shift(season, number, occasion) for number, occasion in enumerate(group, start=1))
    title = f"【合成】{first.kind.title} {reference}"
    listing = Listing(reference, first.slot.partner.reference, title, first.kind.mode, shifts)
    rows = [row for shift, occasion in zip(shifts, group, strict=True) for row in _attend(reference, shift, occasion)]
    return listing, rows


def _make_shift(season: Season, number: int, occasion: Occasion) -> Shift:
    """Set a shift at its planned time, or so much before it that it ends by ten in the evening."""
    minute = min(occasion.slot.minute, _LATEST_END - occasion.duration)
    starts_at = local_instant(season, occasion.slot.on, minute)
    return Shift(number, starts_at, starts_at + timedelta(minutes=occasion.duration), occasion.capacity)


def _attend(reference: str, shift: Shift, occasion: Occasion) -> list[Attendance]:
    """Write down who came to a shift, in order of arrival."""
    pairs = zip(occasion.volunteers, occasion.guests, strict=True)
    rows = [_make_attendance(reference, shift, volunteer, guest) for volunteer, guest in pairs]
    return sorted(rows, key=lambda row: (row.checked_in_at, row.employee_number))


def _make_attendance(reference: str, shift: Shift, volunteer: Volunteer, guest: Guest) -> Attendance:
    """Place one stay in time."""
    arrival, departure = guest.stay.arrival, guest.stay.departure
    return Attendance(
        listing_reference=reference,
        shift_number=shift.number,
        employee_number=volunteer.employee_number,
        checked_in_at=shift.starts_at + timedelta(seconds=arrival),
        checked_out_at=None if departure is None else shift.starts_at + timedelta(seconds=departure),
        evidence=guest.evidence,
    )
