"""The facts that rows of shifts are judged by, and their lock."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.activities.listings.queries import ShiftOfListing, find_listings, find_shifts
from services.activities.listings.queries import lock_references as lock_references_of
from services.activities.partners.queries import find_partners
from services.activities.shift_imports.rules import KnownListing, KnownShift, ListingFacts, ShiftRow
from shared.imports.judging import Case


def listing_facts(tx: Session, case: Case, rows: Sequence[ShiftRow]) -> ListingFacts:
    """Look up everything that rows of shifts name."""
    programme_id = case.programme_id
    listings = find_listings(tx, programme_id=programme_id, references={row.listing_reference for row in rows})
    partners = find_partners(tx, programme_id=programme_id, references={row.partner_reference for row in rows})
    names = {partner.id: reference for reference, partner in partners.items()}
    shifts = find_shifts(tx, programme_id=programme_id, keys={row.key for row in rows})
    return ListingFacts(
        partners={reference: partner.id for reference, partner in partners.items()},
        listings={
            reference: KnownListing(listing.id, names.get(listing.partner_id, ""), listing.title, listing.timezone)
            for reference, listing in listings.items()
        },
        shifts={key: known_shift(shift) for key, shift in shifts.items()},
    )


def known_shift(found: ShiftOfListing) -> KnownShift:
    """Say of a shift what rows are compared with."""
    shift = found.shift
    return KnownShift(shift.starts_at, shift.ends_at, shift.capacity, shift.state)


def lock_references(tx: Session, case: Case, _rows: Sequence[ShiftRow]) -> None:
    """Let nobody else publish in the programme until the sheet is in."""
    lock_references_of(tx, programme_id=case.programme_id)
