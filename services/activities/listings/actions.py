"""What can be done with listings and their shifts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from services.activities.listings import queries, rules
from services.activities.listings.tables import Listing, Shift
from services.activities.partners import queries as partners
from services.activities.partners.rules import UnknownPartner
from services.activities.recurrences.rules import Planned, written_out
from services.activities.words.rules import UNREAD, VERSION, Texts, vector
from shared import bus
from shared.audit import Change, note
from shared.database.arrays import among
from shared.events.activities_shifts import ListingPublished, ShiftHeld
from shared.ids import new_id
from shared.readings import syllables
from shared.zones import zone

MOST_READ = 500
_ADD_LISTINGS = text("""
    INSERT INTO listing (id, programme_id, partner_id, reference, title, timezone, published_at,
        proposal_id, mode, city, place, description, criteria, minutes_per_piece, skills)
    SELECT id, :programme_id, partner_id, reference, title, timezone, :now, proposal_id, mode, city, place, description,
        criteria, minutes_per_piece, ARRAY(SELECT jsonb_array_elements_text(CAST(skills AS jsonb)))
    FROM unnest(CAST(:ids AS uuid[]), CAST(:partners AS uuid[]), CAST(:references AS text[]), CAST(:titles AS text[]),
                CAST(:timezones AS text[]), CAST(:proposals AS uuid[]), CAST(:modes AS text[]), CAST(:cities AS text[]),
                CAST(:places AS text[]), CAST(:descriptions AS text[]), CAST(:criteria AS text[]),
                CAST(:minutes AS int[]), CAST(:skills AS text[]))
        AS l(id, partner_id, reference, title, timezone, proposal_id, mode, city, place, description, criteria,
             minutes_per_piece, skills)
""")
_ADD_WORDS = text("""
    INSERT INTO listing_words (listing_id, programme_id, partner_name, version, words)
    SELECT id, :programme_id, partner_name, :version, CAST(words AS tsvector)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:words AS text[])) AS w(id, partner_name, words)
""")
_ADD_SHIFTS = text("""
    INSERT INTO shift (id, programme_id, listing_id, partner_id, number, starts_at, ends_at, service_on, capacity,
        minimum, code_secret, minutes_per_piece)
    SELECT s.id, :programme_id, listing_id, s.partner_id, number, starts_at, ends_at, service_on, capacity,
        minimum, code_secret, listing.minutes_per_piece
    FROM unnest(CAST(:ids AS uuid[]), CAST(:listings AS uuid[]), CAST(:partners AS uuid[]), CAST(:numbers AS int[]),
                CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:dates AS date[]),
                CAST(:capacities AS int[]), CAST(:minimums AS int[]), CAST(:secrets AS text[]))
        AS s(id, listing_id, partner_id, number, starts_at, ends_at, service_on, capacity, minimum, code_secret)
        JOIN listing ON listing.id = s.listing_id
""")
_START = text("""
    UPDATE shift SET state = 'running' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state IN ('open', 'go')
    RETURNING id, old.state AS was
""")
_HOLD = text("""
    UPDATE shift SET state = 'held' WHERE id = ANY(CAST(:shift_ids AS uuid[])) AND state IN ('open', 'go', 'running')
    RETURNING id, programme_id, listing_id, partner_id, starts_at, ends_at, old.state AS was
""")


@dataclass(frozen=True, slots=True)
class NewShift:
    """An occasion to be published."""

    number: int
    times: rules.Times
    capacity: int
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class NewListing:
    """An activity to be published, with at least one shift; where it was proposed, by which proposal.

    `terms` are what work that is handed in is accepted by; None for other work. `skills` are what is asked for, by
    their codes where the catalogue knows them.
    """

    partner_id: UUID
    reference: str
    title: str
    timezone: str
    shifts: tuple[NewShift, ...]
    proposal_id: UUID | None = None
    mode: str | None = None
    city: str | None = None
    place: str | None = None
    description: str | None = None
    terms: rules.Terms | None = None
    skills: tuple[str, ...] = ()


def publish(tx: Session, *, programme_id: UUID, listing: NewListing, now: datetime) -> Listing:
    """Publish one listing. Raises BadShift, UnknownPartner, ReferenceTaken."""
    if partners.find_partner(tx, programme_id=programme_id, partner_id=listing.partner_id) is None:
        raise UnknownPartner(field="partner_id", partner_id=listing.partner_id)
    queries.lock_references(tx, programme_id=programme_id)
    if queries.find_listings(tx, programme_id=programme_id, references=[listing.reference]):
        raise rules.ReferenceTaken(field="reference")
    require_shifts(listing.shifts)
    add_listings(tx, programme_id=programme_id, listings=[listing], now=now)
    return queries.find_listings(tx, programme_id=programme_id, references=[listing.reference])[listing.reference]


def planned(shifts: Iterable[Planned], *, timezone: str) -> tuple[NewShift, ...]:
    """Write shifts out and number them. Raises UnknownTimezone, BadRepetition, TooManyShifts, UnclearLocalTime."""
    found = written_out(shifts, timezone=zone(timezone), most=rules.MOST_SHIFTS)
    return tuple(
        NewShift(number, rules.Times(each.starts_at, each.ends_at), each.capacity, each.minimum)
        for number, each in enumerate(found, start=1)
    )


def require_shifts(shifts: Iterable[NewShift]) -> None:
    """Refuse shifts that cannot be published. Raises BadShift."""
    for shift in shifts:
        rules.require_times(shift.times)
        rules.require_minimum(shift.minimum, capacity=shift.capacity)


def add_listings(tx: Session, *, programme_id: UUID, listings: Sequence[NewListing], now: datetime) -> list[UUID]:
    """Add new listings with their shifts, one statement for each table; whoever calls has checked them.

    Returns their ids, in order.
    """
    ids = [new_id() for _ in listings]
    columns = {
        "programme_id": programme_id,
        "ids": ids,
        "partners": [listing.partner_id for listing in listings],
        "references": [listing.reference for listing in listings],
        "titles": [listing.title for listing in listings],
        "timezones": [listing.timezone for listing in listings],
        "proposals": [listing.proposal_id for listing in listings],
        "modes": [listing.mode for listing in listings],
        "cities": [listing.city and listing.city.strip() for listing in listings],
        "places": [listing.place for listing in listings],
        "descriptions": [listing.description for listing in listings],
        "criteria": [listing.terms and listing.terms.criteria for listing in listings],
        "minutes": [listing.terms and listing.terms.minutes_per_piece for listing in listings],
        "skills": [orjson.dumps(listing.skills).decode() for listing in listings],
        "now": now,
    }
    tx.execute(_ADD_LISTINGS, columns)
    _add_words(tx, programme_id, list(zip(ids, listings, strict=True)))
    new = zip(ids, listings, strict=True)
    note(tx, "listing", (Change(i, None, _shown_listing(listing)) for i, listing in new), added=len(ids))
    add_shifts(tx, programme_id=programme_id, listings=list(zip(ids, listings, strict=True)))
    published = [(i, listing.partner_id) for i, listing in zip(ids, listings, strict=True)]
    bus.emit_all(
        tx,
        [ListingPublished(programme_id=programme_id, listing_id=i, partner_id=host, at=now) for i, host in published],
    )
    return ids


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
        "minimums": [shift.minimum for _, _, shift in rows],
        "secrets": [rules.new_code_secret() for _ in rows],
    }
    tx.execute(_ADD_SHIFTS, columns)
    new = zip(ids, rows, strict=True)
    note(tx, "shift", (Change(i, None, _shown_shift(*row)) for i, row in new), added=len(ids))


def _add_words(tx: Session, programme_id: UUID, listings: Sequence[tuple[UUID, NewListing]]) -> None:
    """Let listings be found by what they say; how that is read is looked up later, by a timer: it takes its time."""
    names = partners.find_names(tx, {listing.partner_id for _, listing in listings})
    columns = {
        "programme_id": programme_id,
        "version": UNREAD,
        "ids": [listing_id for listing_id, _ in listings],
        "names": [names[listing.partner_id] for _, listing in listings],
        "words": [vector(_texts(listing, names[listing.partner_id])) for _, listing in listings],
    }
    tx.execute(_ADD_WORDS, columns)


def read_listings(tx: Session, *, limit: int = MOST_READ) -> int:
    """Look up how listings are read that are new, whose partner has another name, or that older rules were used for.

    Returns how many those were, `limit` at most; who else does it at the same time passes them over.
    """
    queries.add_missing_words(tx, limit=limit)
    rows = queries.lock_unread(tx, limit=limit)
    for words, listing, partner_name in rows:
        words.words = vector(_texts(listing, partner_name), read=syllables)
        words.version, words.partner_name = VERSION, partner_name
    tx.flush()
    return len(rows)


def _texts(listing: NewListing | Listing, partner_name: str) -> Texts:
    names = (listing.title, listing.city or "", listing.place or "", partner_name)
    return Texts(names, listing.description or "")


def _shown_listing(listing: NewListing) -> dict[str, object]:
    return {"partner_id": listing.partner_id, "reference": listing.reference, "title": listing.title}


def _shown_shift(listing_id: UUID, _listing: NewListing, shift: NewShift) -> dict[str, object]:
    times = {"starts_at": shift.times.starts_at, "ends_at": shift.times.ends_at}
    return {
        "listing_id": listing_id,
        "number": shift.number,
        **times,
        "capacity": shift.capacity,
        "minimum": shift.minimum,
    }


def start_shifts(tx: Session, shift_ids: Collection[UUID], *, by: Mapping[UUID, UUID] | None = None) -> None:
    """Note that somebody has come to these shifts: from now on they cannot be cancelled.

    Only the first of those who come need this, and wait for a lock; a shift that runs stays running. `by` says whose
    call it is, by shift.
    """
    moved = tx.execute(_START, {"shift_ids": sorted(set(shift_ids))}).all()
    changes = (Change(row.id, {"state": row.was}, {"state": "running"}, of=(by or {}).get(row.id)) for row in moved)
    note(tx, "shift", changes, started=len(moved))


def hold_shifts(
    tx: Session, shift_ids: Collection[UUID], *, by: Mapping[UUID, UUID], at: datetime
) -> list[ShiftHeld]:  # fmt: skip
    """Note that service on these shifts has been settled: they were held. `by` says of whom, by shift.

    Returns what is to be told of it, for the caller has more to tell, and one statement for all.
    """
    moved = tx.execute(_HOLD, {"shift_ids": sorted(set(shift_ids))}).all()
    changes = (Change(row.id, {"state": row.was}, {"state": "held"}, of=by.get(row.id)) for row in moved)
    note(tx, "shift", changes, held=len(moved))
    return [
        ShiftHeld(
            programme_id=row.programme_id, shift_id=row.id, listing_id=row.listing_id, partner_id=row.partner_id,
            starts_at=row.starts_at, ends_at=row.ends_at, at=at,
        )
        for row in moved
    ]  # fmt: skip


def conclude_shifts(tx: Session, shift_ids: Collection[UUID], *, now: datetime) -> None:
    """Note that it is decided of each place on these shifts what became of it; the caller holds their locks."""
    rows = update(Shift).where(among(Shift.id, shift_ids), Shift.concluded_at.is_(None)).values(concluded_at=now)
    concluded = tx.scalars(rows.returning(Shift.id)).all()
    note(
        tx,
        "shift",
        (Change(i, {"concluded_at": None}, {"concluded_at": now}) for i in concluded),
        concluded=len(concluded),
    )


def mark_owed(tx: Session, shift_ids: Collection[UUID], *, now: datetime) -> None:
    """Note that each place on these shifts owes what is handed in; the caller holds their locks."""
    rows = update(Shift).where(among(Shift.id, shift_ids), Shift.owed_at.is_(None)).values(owed_at=now)
    owed = tx.scalars(rows.returning(Shift.id)).all()
    note(tx, "shift", (Change(i, {"owed_at": None}, {"owed_at": now}) for i in owed), owed=len(owed))
