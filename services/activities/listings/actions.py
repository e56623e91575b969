"""What can be done with listings and their shifts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.listings import queries, rules
from services.activities.listings.tables import Listing, Partner, Shift
from shared.audit import Change, note
from shared.errors import NotFound
from shared.ids import new_id
from shared.seen import Seen
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
_START = text("""
    UPDATE shift SET state = 'running' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state = 'open'
    RETURNING id, old.state AS was
""")
_HOLD = text("""
    UPDATE shift SET state = 'held' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state IN ('open', 'running')
    RETURNING id, old.state AS was
""")


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """What is to be known of a partner."""

    name: str
    agreement: str
    since: date


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


def record_partner(tx: Session, facts: PartnerFacts, *, programme_id: UUID, reference: str, seen: Seen) -> Partner:
    """Note a partner that may publish, or, for who has seen what was noted before, what changed about it.

    Raises ReadFirst, ChangedSince.
    """
    partner = queries.lock_partner(tx, programme_id=programme_id, reference=reference)
    if partner is None:
        seen.require_none()
        partner = _new_partner(tx, facts, programme_id=programme_id, reference=reference)
        if partner is not None:
            return partner
        partner = queries.lock_partner(tx, programme_id=programme_id, reference=reference)  # Another was quicker.
        if partner is None:
            raise NotFound(reference=reference)
    seen.require(partner)
    partner.name, partner.agreement, partner.since = facts.name, facts.agreement, facts.since
    return partner


def _new_partner(tx: Session, facts: PartnerFacts, *, programme_id: UUID, reference: str) -> Partner | None:
    """Add a partner, unless there is one of this reference after all."""
    values = asdict(facts)
    rows = insert(Partner).values(programme_id=programme_id, reference=reference, **values)
    rows = rows.on_conflict_do_nothing(index_elements=["programme_id", "reference"])
    partner = tx.scalars(rows.returning(Partner)).one_or_none()
    if partner is not None:
        note(tx, "partner", [Change(partner.id, None, {"reference": reference} | values)], added=1)
    return partner


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
    new = zip(ids, listings, strict=True)
    note(tx, "listing", (Change(i, None, _shown_listing(listing)) for i, listing in new), added=len(ids))
    add_shifts(tx, programme_id=programme_id, listings=list(zip(ids, listings, strict=True)))


def add_shifts(tx: Session, *, programme_id: UUID, listings: Sequence[tuple[UUID, NewListing]]) -> None:
    """Add shifts to listings that exist, given with their ids, with one statement."""
    rows = [(listing_id, listing, shift) for listing_id, listing in listings for shift in listing.shifts]
    ids = [new_id() for _ in rows]
    columns = {
        "programme_id": programme_id,
        "ids": ids,
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
    new = zip(ids, rows, strict=True)
    note(tx, "shift", (Change(i, None, _shown_shift(*row)) for i, row in new), added=len(ids))


def _shown_listing(listing: NewListing) -> dict[str, object]:
    return {"partner_id": listing.partner_id, "reference": listing.reference, "title": listing.title}


def _shown_shift(listing_id: UUID, _listing: NewListing, shift: NewShift) -> dict[str, object]:
    times = {"starts_at": shift.times.starts_at, "ends_at": shift.times.ends_at}
    return {"listing_id": listing_id, "number": shift.number, **times, "capacity": shift.capacity}


def start_shifts(tx: Session, shift_ids: Collection[UUID], *, by: Mapping[UUID, UUID] | None = None) -> None:
    """Note that somebody has come to these shifts: from now on they cannot be cancelled.

    Only the first of those who come need this, and wait for a lock; a shift that runs stays running. `by` says whose
    call it is, by shift.
    """
    moved = tx.execute(_START, {"shift_ids": sorted(set(shift_ids))}).all()
    changes = (Change(row.id, {"state": row.was}, {"state": "running"}, of=(by or {}).get(row.id)) for row in moved)
    note(tx, "shift", changes, started=len(moved))


def hold_shifts(tx: Session, served: Mapping[UUID, UUID]) -> None:
    """Note that service on these shifts, if any, has been settled: they were held. `served` says of whom, by shift."""
    if not served:
        return
    moved = tx.execute(_HOLD, {"shift_ids": sorted(served)}).all()
    changes = (Change(row.id, {"state": row.was}, {"state": "held"}, of=served[row.id]) for row in moved)
    note(tx, "shift", changes, held=len(moved))


def cancel_shift(
    tx: Session, *, programme_id: UUID, shift_id: UUID, because: str, partner_id: UUID | None, seen: Seen
) -> Shift:
    """Call a shift off; again changes nothing. `partner_id` limits it to that partner's.

    Raises NotFound, ChangedSince, ShiftHasAttendance.
    """
    shift = queries.lock_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    seen.require(shift)
    if shift.state == "cancelled":
        return shift
    rules.require_not_started(shift.state)
    shift.state, shift.cancelled_because = "cancelled", because
    return shift
