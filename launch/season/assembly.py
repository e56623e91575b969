"""Turn what was drawn for each shift into listings, proposals and attendances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from launch.season.attendance import Guest
from launch.season.calls import local_instant
from launch.season.facts import Attendance, Fate, Listing, Mode, Portion, Proposal, Shift, Volunteer
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
    minimum: int
    fate: Fate
    reason: str | None = None
    guests: Sequence[Guest] = ()
    volunteers: Sequence[Volunteer] = ()


def make_proposals(season: Season, occasions: Sequence[Occasion]) -> list[Proposal]:
    """Make a proposal of each occasion, numbered in order of time."""
    order = sorted(range(len(occasions)), key=lambda index: (occasions[index].slot.on, occasions[index].slot.minute))
    numbers = {index: number for number, index in enumerate(order, start=1)}
    return [_make_proposal(season, f"A{numbers[index]:05d}", each) for index, each in enumerate(occasions)]


def make_portion(pairs: Sequence[tuple[Proposal, Occasion]]) -> Portion:
    """Write down who came to each of some proposals that were held."""
    listings = tuple(proposal.listing for proposal, _ in pairs)
    return Portion(listings, tuple(row for proposal, each in pairs for row in _attend(proposal.listing, each)))


def _make_proposal(season: Season, reference: str, occasion: Occasion) -> Proposal:
    """Set a shift at its planned time, or so much before it that it ends by ten in the evening."""
    slot, kind = occasion.slot, occasion.kind
    starts_at = local_instant(season, slot.on, min(slot.minute, _LATEST_END - occasion.duration))
    shift = Shift(1, starts_at, starts_at + timedelta(minutes=occasion.duration), occasion.capacity)
    listing = Listing(reference, slot.partner.reference, f"【合成】{kind.title} {reference}", kind.mode, (shift,))
    return Proposal(listing, slot.round, occasion.minimum, occasion.fate, occasion.reason)


def _attend(listing: Listing, occasion: Occasion) -> Iterator[Attendance]:
    """Write down who came to a shift, in order of arrival."""
    pairs = zip(occasion.volunteers, occasion.guests, strict=True)
    rows = [_make_attendance(listing, volunteer, guest) for volunteer, guest in pairs]
    yield from sorted(rows, key=lambda row: (row.checked_in_at, row.employee_number))


def _make_attendance(listing: Listing, volunteer: Volunteer, guest: Guest) -> Attendance:
    """Place one stay in time."""
    (shift,) = listing.shifts
    arrival, departure = guest.stay.arrival, guest.stay.departure
    return Attendance(
        listing_reference=listing.reference,
        shift_number=shift.number,
        employee_number=volunteer.employee_number,
        checked_in_at=shift.starts_at + timedelta(seconds=arrival),
        checked_out_at=None if departure is None else shift.starts_at + timedelta(seconds=departure),
        evidence=guest.evidence,
    )
