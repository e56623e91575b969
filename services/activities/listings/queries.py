"""Reads and locks of partners, listings and shifts."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Listing, Partner, Shift
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

LISTINGS = KeysetList(
    key=(Listing.id,),
    sorts={"published_at": Sort(Listing.published_at), "reference": Sort(Listing.reference)},
    filters={
        "partner_id": equal(Listing.partner_id, "Of this partner."),
        "reference": equal(Listing.reference, "With this reference, which is unique in the programme."),
        "published_from": since(Listing.published_at, "Published at this instant or later."),
        "published_until": until(Listing.published_at, "Published before this instant."),
    },
    default_sort="-id",
)


class ShiftOfListing(NamedTuple):
    """A shift with the listing that it is an occasion of."""

    shift: Shift
    listing: Listing


def find_partners(tx: Session, *, programme_id: UUID, references: Collection[str]) -> dict[str, Partner]:
    """Return those of the partners that are known, by reference."""
    rows = select(Partner).where(Partner.programme_id == programme_id, among(Partner.reference, references))
    return {partner.reference: partner for partner in tx.scalars(rows)}


def find_partner(tx: Session, *, programme_id: UUID, partner_id: UUID) -> Partner | None:
    """Return a partner of the programme."""
    partner = tx.get(Partner, partner_id)
    return partner if partner is not None and partner.programme_id == programme_id else None


def get_partner(tx: Session, *, programme_id: UUID, reference: str) -> Partner:
    """Return a partner by its reference. Raises NotFound."""
    partner = find_partners(tx, programme_id=programme_id, references=[reference]).get(reference)
    if partner is None:
        raise NotFound(reference=reference)
    return partner


def lock_partner(tx: Session, *, programme_id: UUID, reference: str) -> Partner | None:
    """Lock a partner by its reference, if there is one."""
    rows = select(Partner).where(Partner.programme_id == programme_id, Partner.reference == reference)
    return tx.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).first()


def find_listings(tx: Session, *, programme_id: UUID, references: Collection[str]) -> dict[str, Listing]:
    """Return those of the listings that exist, by reference."""
    rows = select(Listing).where(Listing.programme_id == programme_id, among(Listing.reference, references))
    return {listing.reference: listing for listing in tx.scalars(rows)}


def find_shifts(
    tx: Session, *, programme_id: UUID, keys: Collection[tuple[str, int]]
) -> dict[tuple[str, int], ShiftOfListing]:
    """Return those of the shifts that exist, by listing reference and number."""
    references = {reference for reference, _ in keys}
    rows = (
        select(Shift, Listing)
        .join(Listing, Shift.listing_id == Listing.id)
        .where(Listing.programme_id == programme_id, among(Listing.reference, references))
    )
    found = {(listing.reference, shift.number): ShiftOfListing(shift, listing) for shift, listing in tx.execute(rows)}
    return {key: found[key] for key in keys if key in found}


def get_shift(tx: Session, *, programme_id: UUID, shift_id: UUID, partner_id: UUID | None = None) -> ShiftOfListing:
    """Return a shift with its listing; `partner_id` limits it to one partner's. Raises NotFound."""
    rows = select(Shift, Listing).join(Listing, Shift.listing_id == Listing.id)
    if partner_id is not None:
        rows = rows.where(Shift.partner_id == partner_id)
    row = tx.execute(rows.where(Shift.id == shift_id, Shift.programme_id == programme_id)).first()
    if row is None:
        raise NotFound(shift_id=shift_id)
    return ShiftOfListing(*row)


def lock_shift(tx: Session, *, programme_id: UUID, shift_id: UUID, partner_id: UUID | None = None) -> Shift:
    """Lock a shift; `partner_id` limits it to one partner's. Raises NotFound."""
    rows = select(Shift).where(Shift.id == shift_id, Shift.programme_id == programme_id)
    if partner_id is not None:
        rows = rows.where(Shift.partner_id == partner_id)
    shift = tx.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).first()
    if shift is None:
        raise NotFound(shift_id=shift_id)
    return shift


def lock_shifts(tx: Session, *, programme_id: UUID, references: Collection[str]) -> None:
    """Lock all shifts of these listings in order of id; whoever locks people too has done so before."""
    rows = (
        select(Shift.id)
        .join(Listing, Shift.listing_id == Listing.id)
        .where(Listing.programme_id == programme_id, among(Listing.reference, references))
        .order_by(Shift.id)
        .with_for_update(key_share=True, of=Shift)
    )
    tx.execute(rows)


def lock_references(tx: Session, *, programme_id: UUID) -> None:
    """Let one publish at a time in a programme: two must not both find the same reference free."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"listing references of {programme_id}", 0))))


def shifts_by_id(tx: Session, shift_ids: Collection[UUID]) -> dict[UUID, Shift]:
    """Return these shifts by id."""
    return {shift.id: shift for shift in tx.scalars(select(Shift).where(among(Shift.id, shift_ids)))}


def find_states(tx: Session, shift_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the states of these shifts by id."""
    return {row.id: row.state for row in tx.execute(select(Shift.id, Shift.state).where(among(Shift.id, shift_ids)))}


def list_shifts(tx: Session, listing_ids: Collection[UUID]) -> list[Shift]:
    """Return the shifts of listings, in order."""
    rows = select(Shift).where(among(Shift.listing_id, listing_ids)).order_by(Shift.listing_id, Shift.number)
    return list(tx.scalars(rows))


def listings_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Listing]:
    """Say which listings a caller of a programme may see: all, or one partner's."""
    rows = select(Listing).where(Listing.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(Listing.partner_id == partner_scope)
