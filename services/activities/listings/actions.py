"""What can be done with listings and their shifts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from services.activities.listings import queries, rules
from services.activities.listings.tables import Listing, Partner, Shift
from shared.ids import new_id

_RECORD_PARTNER = text("""
    INSERT INTO partner (programme_id, reference, name, agreement, since)
    VALUES (:programme_id, :reference, :name, :agreement, :since)
    ON CONFLICT (programme_id, reference)
    DO UPDATE SET name = excluded.name, agreement = excluded.agreement, since = excluded.since
""")
_START = text("UPDATE shift SET state = 'running' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state = 'open'")
_HOLD = text(
    "UPDATE shift SET state = 'held' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state IN ('open', 'running')"
)


@dataclass(frozen=True, slots=True)
class NewShift:
    """An occasion to be published."""

    number: int
    times: rules.Times
    capacity: int


@dataclass(frozen=True, slots=True)
class NewListing:
    """An activity to be published, with at least one shift."""

    partner_id: UUID
    reference: str
    title: str
    timezone: str
    shifts: tuple[NewShift, ...]


def record_partner(
    tx: Session, *, programme_id: UUID, reference: str, name: str, agreement: str, since: date
) -> Partner:
    """Note a partner that may publish, or what changed about it."""
    values = {
        "programme_id": programme_id,
        "reference": reference,
        "name": name,
        "agreement": agreement,
        "since": since,
    }
    tx.execute(_RECORD_PARTNER, values)
    return queries.find_partners(tx, programme_id=programme_id, references=[reference])[reference]


def publish(tx: Session, *, programme_id: UUID, listing: NewListing, now: datetime) -> Listing:
    """Publish one listing. Raises BadShift, UnknownTimezone, UnknownPartner, ReferenceTaken."""
    if queries.find_partner(tx, programme_id=programme_id, partner_id=listing.partner_id) is None:
        raise rules.UnknownPartner(field="partner_id", partner_id=listing.partner_id)
    if queries.find_listings(tx, programme_id=programme_id, references=[listing.reference]):
        raise rules.ReferenceTaken(field="reference", reference=listing.reference)
    for shift in listing.shifts:
        rules.require_times(shift.times)
    add_listings(tx, programme_id=programme_id, listings=[listing], now=now)
    return queries.find_listings(tx, programme_id=programme_id, references=[listing.reference])[listing.reference]


def add_listings(tx: Session, *, programme_id: UUID, listings: Sequence[NewListing], now: datetime) -> None:
    """Add new listings with their shifts, one statement for each table; whoever calls has checked them."""
    ids = {listing.reference: new_id() for listing in listings}
    rows = [
        {"id": ids[listing.reference], "programme_id": programme_id, "partner_id": listing.partner_id,
         "reference": listing.reference, "title": listing.title, "timezone": listing.timezone, "published_at": now}
        for listing in listings
    ]  # fmt: skip
    if rows:
        tx.execute(insert(Listing), rows)
    add_shifts(tx, programme_id=programme_id, listings=[(ids[listing.reference], listing) for listing in listings])


def add_shifts(tx: Session, *, programme_id: UUID, listings: Sequence[tuple[UUID, NewListing]]) -> None:
    """Add shifts to listings that exist, given with their ids, with one statement."""
    rows = [
        _shift_row(programme_id, listing_id, listing, shift)
        for listing_id, listing in listings
        for shift in listing.shifts
    ]
    if rows:
        tx.execute(insert(Shift), rows)


def _shift_row(programme_id: UUID, listing_id: UUID, listing: NewListing, shift: NewShift) -> dict[str, object]:
    return {
        "id": new_id(),
        "programme_id": programme_id,
        "listing_id": listing_id,
        "partner_id": listing.partner_id,
        "number": shift.number,
        "starts_at": shift.times.starts_at,
        "ends_at": shift.times.ends_at,
        "service_on": rules.service_date(shift.times.starts_at, rules.zone(listing.timezone)),
        "capacity": shift.capacity,
        "code_secret": rules.new_code_secret(),
    }


def start_shift(tx: Session, shift: Shift) -> None:
    """Note that somebody has come: from now on the shift cannot be cancelled. Raises ShiftCancelled.

    Only the first of those who come waits for a lock; a shift that runs stays running, so the others need none.
    """
    if shift.state == "open":
        start_shifts(tx, [shift.id])
        tx.refresh(shift)
    rules.require_not_cancelled(shift.state)


def start_shifts(tx: Session, shift_ids: Collection[UUID]) -> None:
    """Note that somebody has come to these shifts."""
    tx.execute(_START, {"shift_ids": sorted(set(shift_ids))})


def hold_shifts(tx: Session, shift_ids: Collection[UUID]) -> None:
    """Note that service on these shifts has been settled: they were held."""
    tx.execute(_HOLD, {"shift_ids": sorted(set(shift_ids))})


def cancel_shift(tx: Session, *, programme_id: UUID, shift_id: UUID, because: str, partner_id: UUID | None) -> Shift:
    """Call a shift off; again changes nothing. `partner_id` limits it to that partner's.

    Raises NotFound, ShiftHasAttendance.
    """
    shift = queries.lock_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    if shift.state == "cancelled":
        return shift
    rules.require_not_started(shift.state)
    shift.state, shift.cancelled_because = "cancelled", because
    return shift
