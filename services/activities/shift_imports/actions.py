"""How a sheet of shifts is brought in."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy.orm import Session

from services.activities.listings.actions import NewListing, NewShift, add_listings, add_shifts
from services.activities.listings.rules import Times
from services.activities.shift_imports.rules import ListingFacts, ShiftRow
from shared.imports.judging import Case
from shared.imports.kinds import Accepted, Tell

Sheet = Accepted[ShiftRow, ListingFacts]


def bring(tx: Session, case: Case, sheet: Sheet, tell: Tell) -> int:
    """Publish shifts that are new, and listings that are; the caller holds the programme's references."""
    facts, programme_id = sheet.facts, case.programme_id
    new = sorted(row for row in sheet.rows if row.key not in facts.shifts)
    grouped = groupby(new, key=lambda row: row.listing_reference)
    listings = [_listing(facts, case.timezone, list(group)) for _, group in grouped]
    add_listings(
        tx, programme_id=programme_id, now=case.now,
        listings=[listing for listing in listings if listing.reference not in facts.listings],
    )  # fmt: skip
    known = [(facts.listings[item.reference].id, item) for item in listings if item.reference in facts.listings]
    add_shifts(tx, programme_id=programme_id, listings=known)
    tell(len(sheet.rows))
    return 0


def _listing(facts: ListingFacts, timezone: str, rows: Sequence[ShiftRow]) -> NewListing:
    """Describe a listing's new shifts; one that exists stays in its own time zone."""
    first = rows[0]
    known = facts.listings.get(first.listing_reference)
    shifts = (NewShift(row.shift_number, Times(row.starts_at, row.ends_at), row.capacity) for row in rows)
    partner_id = facts.partners[first.partner_reference]
    timezone = known.timezone if known else timezone
    return NewListing(partner_id, first.listing_reference, first.title, timezone, tuple(shifts))
