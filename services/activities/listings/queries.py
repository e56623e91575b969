"""Reads and locks of listings and shifts."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, defer

from services.activities.listings import rules
from services.activities.listings.tables import Listing, ListingWords, Shift
from services.activities.partners.tables import Partner
from services.activities.words.rules import VERSION
from shared.database.arrays import among
from shared.database.faults import is_lock_timeout
from shared.database.keyset import Column, Filter, KeysetList, Sort, equal, since, until
from shared.errors import NotFound


def _holds_text(column: Column, value: str) -> ColumnElement[bool]:
    return column.icontains(value, autoescape=True)


def _has_room(column: Column, value: object) -> ColumnElement[bool]:
    return (column < Shift.capacity) if value else (column >= Shift.capacity)


def _of_titled(title: Column, value: str) -> ColumnElement[bool]:
    return Shift.listing_id.in_(select(Listing.id).where(_holds_text(title, value)))


LISTINGS = KeysetList(
    key=(Listing.id,),
    sorts={"published_at": Sort(Listing.published_at), "reference": Sort(Listing.reference)},
    filters={
        "partner_id": equal(Listing.partner_id, "Of this partner."),
        "reference": equal(Listing.reference, "With this reference, which is unique in the programme."),
        "published_from": since(Listing.published_at, "Published at this instant or later."),
        "published_until": until(Listing.published_at, "Published before this instant."),
        "state": equal(Listing.state, "In this state.", takes=rules.ListingState),
        "search": Filter(Listing.title, "With this text in the title; case does not matter.", _holds_text),
    },
    default_sort="-id",
)
SHIFTS = KeysetList(
    key=(Shift.id,),
    sorts={"starts_at": Sort(Shift.starts_at)},
    filters={
        "partner_id": equal(Shift.partner_id, "Of this partner."),
        "listing_id": equal(Shift.listing_id, "Of this listing."),
        "state": equal(Shift.state, "In this state.", takes=rules.ShiftState),
        "starts_from": since(Shift.starts_at, "Starts at this instant or later."),
        "starts_until": until(Shift.starts_at, "Starts before this instant."),
        "has_room": Filter(Shift.taken, "With a free place, or without one.", _has_room, takes=bool),
        "search": Filter(Listing.title, "With this text in the title of its listing.", _of_titled),
    },
    default_sort="starts_at",
)


_FOR_A_MOMENT, _AS_USUAL = text("SET LOCAL lock_timeout = '200ms'"), text("SET LOCAL lock_timeout TO DEFAULT")


class ShiftOfListing(NamedTuple):
    """A shift with the listing that it is an occasion of."""

    shift: Shift
    listing: Listing


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


def get_listing(tx: Session, *, programme_id: UUID, listing_id: UUID, partner_id: UUID | None = None) -> Listing:
    """Return a listing; `partner_id` limits it to one partner's. Raises NotFound."""
    return _one(tx, _listing(programme_id, listing_id, partner_id), listing_id)


def lock_listing(tx: Session, *, programme_id: UUID, listing_id: UUID, partner_id: UUID | None = None) -> Listing:
    """Lock a listing, before any of its shifts; `partner_id` limits it to one partner's. Raises NotFound."""
    rows = _listing(programme_id, listing_id, partner_id).with_for_update(key_share=True)
    return _one(tx, rows.execution_options(populate_existing=True), listing_id)


def lock_shifts_of(tx: Session, listing_id: UUID) -> list[Shift]:
    """Lock all shifts of a listing, in order of id, and return them as they are now."""
    rows = select(Shift).where(Shift.listing_id == listing_id).order_by(Shift.id).with_for_update(key_share=True)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def _listing(programme_id: UUID, listing_id: UUID, partner_id: UUID | None) -> Select[Listing]:
    return listings_of(programme_id, partner_id).where(Listing.id == listing_id)


def _one(tx: Session, rows: Select[Listing], listing_id: UUID) -> Listing:
    listing = tx.scalars(rows).first()
    if listing is None:
        raise NotFound(listing_id=listing_id)
    return listing


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


def lock_shifts_by_id(tx: Session, shift_ids: Collection[UUID]) -> list[Shift]:
    """Lock shifts in order of id and return them as they are now; whoever locks people too has done so before."""
    rows = select(Shift).where(among(Shift.id, shift_ids)).order_by(Shift.id).with_for_update(key_share=True)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def lock_shifts_soon(tx: Session, shift_ids: Collection[UUID]) -> set[UUID]:
    """Lock shifts in order of id, waiting a moment for who holds them; return which are locked then.

    Decisions and other sign-ups hold one for milliseconds: whoever does not wait for those waits behind everybody.
    """
    rows = select(Shift.id).where(among(Shift.id, shift_ids)).order_by(Shift.id)
    try:
        with tx.begin_nested():
            tx.execute(_FOR_A_MOMENT)
            locked = set(tx.scalars(rows.with_for_update(key_share=True)))
            tx.execute(_AS_USUAL)
            return locked
    except DBAPIError as error:
        if not is_lock_timeout(error):
            raise
    return set(tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)))


def find_unclosed(tx: Session, *, ended_before: datetime, limit: int) -> list[UUID]:
    """Return shifts that ended then or before and are not closed, those that ended first."""
    rows = select(Shift.id).where(Shift.concluded_at.is_(None), Shift.ends_at <= ended_before)
    return list(tx.scalars(rows.order_by(Shift.ends_at, Shift.id).limit(limit)))


def find_unowed(tx: Session, *, ended_before: datetime, limit: int) -> list[UUID]:
    """Return shifts of work that is handed in that ended then or before and owe nothing yet, the first to end first."""
    rows = select(Shift.id).where(Shift.minutes_per_piece.is_not(None), Shift.owed_at.is_(None))
    rows = rows.where(Shift.ends_at <= ended_before)
    return list(tx.scalars(rows.order_by(Shift.ends_at, Shift.id).limit(limit)))


_NAME = text("""
    INSERT INTO listing_words (listing_id, programme_id, partner_name, version, words)
    SELECT id, programme_id, '', 0, '' FROM listing
    WHERE NOT EXISTS (SELECT 1 FROM listing_words WHERE listing_id = listing.id) LIMIT :limit
    ON CONFLICT DO NOTHING
""")


def add_missing_words(tx: Session, *, limit: int) -> None:
    """Have words looked up for listings that were published by a process of the version before (a rolling upgrade)."""
    tx.execute(_NAME, {"limit": limit})


def lock_unread(tx: Session, *, limit: int) -> list[tuple[ListingWords, Listing, str]]:
    """Lock the words of listings that are to be made anew, each with what they are made of."""
    rows = (
        select(ListingWords, Listing, Partner.name)
        .join(Listing, Listing.id == ListingWords.listing_id)
        .join(Partner, Partner.id == Listing.partner_id)
        .where(or_(ListingWords.version != VERSION, ListingWords.partner_name != Partner.name))
        .order_by(ListingWords.listing_id)
        .limit(limit)
        .with_for_update(of=ListingWords, skip_locked=True)
        .options(defer(ListingWords.words))
    )
    return [(words, listing, name) for words, listing, name in tx.execute(rows)]


def list_timezones(tx: Session, listing_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the time zones of listings by id."""
    rows = select(Listing.id, Listing.timezone).where(among(Listing.id, listing_ids))
    return {row.id: row.timezone for row in tx.execute(rows)}


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


def shifts_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Shift]:
    """Say which shifts a caller of a programme may see: all, or one partner's."""
    rows = select(Shift).where(Shift.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(Shift.partner_id == partner_scope)


def listings_by_id(tx: Session, listing_ids: Collection[UUID]) -> dict[UUID, Listing]:
    """Return these listings by id."""
    return {listing.id: listing for listing in tx.scalars(select(Listing).where(among(Listing.id, listing_ids)))}
