"""What can be done with listings and their shifts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.listings import queries, rules
from services.activities.listings.tables import Listing, Partner, Shift
from shared.ids import new_id
from shared.zones import zone

_ADD_LISTINGS = text("""
    INSERT INTO listing (id, programme_id, partner_id, reference, title, timezone, published_at)
    SELECT id, :programme_id, partner_id, reference, title, timezone, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:partners AS uuid[]), CAST(:references AS text[]), CAST(:titles AS text[]),
                CAST(:timezones AS text[])) AS l(id, partner_id, reference, title, timezone)
""")
_ADD_SHIFTS = text("""
    INSERT INTO shift
        (id, programme_id, listing_id, partner_id, number, starts_at, ends_at, service_on, capacity, code_secret)
    SELECT id, :programme_id, listing_id, partner_id, number, starts_at, ends_at, service_on, capacity, code_secret
    FROM unnest(CAST(:ids AS uuid[]), CAST(:listings AS uuid[]), CAST(:partners AS uuid[]), CAST(:numbers AS int[]),
                CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:dates AS date[]),
                CAST(:capacities AS int[]), CAST(:secrets AS text[]))
        AS s(id, listing_id, partner_id, number, starts_at, ends_at, service_on, capacity, code_secret)
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
    facts = {"name": name, "agreement": agreement, "since": since}
    rows = insert(Partner).values(programme_id=programme_id, reference=reference, **facts)
    rows = rows.on_conflict_do_update(index_elements=["programme_id", "reference"], set_=facts)
    return tx.scalars(rows.returning(Partner), execution_options={"populate_existing": True}).one()


def publish(tx: Session, *, programme_id: UUID, listing: NewListing, now: datetime) -> Listing:
    """Publish one listing. Raises BadShift, UnknownTimezone, UnknownPartner, ReferenceTaken."""
    if queries.find_partner(tx, programme_id=programme_id, partner_id=listing.partner_id) is None:
        raise rules.UnknownPartner(field="partner_id", partner_id=listing.partner_id)
    queries.lock_references(tx, programme_id=programme_id)
    if queries.find_listings(tx, programme_id=programme_id, references=[listing.reference]):
        raise rules.ReferenceTaken(field="reference")
    zone(listing.timezone)
    for shift in listing.shifts:
        rules.require_times(shift.times)
    add_listings(tx, programme_id=programme_id, listings=[listing], now=now)
    return queries.find_listings(tx, programme_id=programme_id, references=[listing.reference])[listing.reference]


def add_listings(tx: Session, *, programme_id: UUID, listings: Sequence[NewListing], now: datetime) -> None:
    """Add new listings with their shifts, one statement for each table; whoever calls has checked them."""
    ids = [new_id() for _ in listings]
    columns = {
        "programme_id": programme_id,
        "ids": ids,
        "partners": [listing.partner_id for listing in listings],
        "references": [listing.reference for listing in listings],
        "titles": [listing.title for listing in listings],
        "timezones": [listing.timezone for listing in listings],
        "now": now,
    }
    tx.execute(_ADD_LISTINGS, columns)
    add_shifts(tx, programme_id=programme_id, listings=list(zip(ids, listings, strict=True)))


def add_shifts(tx: Session, *, programme_id: UUID, listings: Sequence[tuple[UUID, NewListing]]) -> None:
    """Add shifts to listings that exist, given with their ids, with one statement."""
    rows = [(listing_id, listing, shift) for listing_id, listing in listings for shift in listing.shifts]
    columns = {
        "programme_id": programme_id,
        "ids": [new_id() for _ in rows],
        "listings": [listing_id for listing_id, _, _ in rows],
        "partners": [listing.partner_id for _, listing, _ in rows],
        "numbers": [shift.number for _, _, shift in rows],
        "starts": [shift.times.starts_at for _, _, shift in rows],
        "ends": [shift.times.ends_at for _, _, shift in rows],
        "dates": [rules.service_date(shift.times.starts_at, zone(listing.timezone)) for _, listing, shift in rows],
        "capacities": [shift.capacity for _, _, shift in rows],
        "secrets": [rules.new_code_secret() for _ in rows],
    }
    tx.execute(_ADD_SHIFTS, columns)


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
