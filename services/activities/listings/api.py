"""HTTP door of partners, listings and shifts."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from sqlalchemy.orm import Session

from services.activities.listings import actions, queries, rules, schemas, tables
from services.activities.listings.schemas import LISTINGS
from shared.auth.callers import Caller, OtherPartner
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Text
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, ReadIfAny, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.zones import UnknownTimezone

router = Router(tags=["listings"])

Reference = Annotated[Text, Path(min_length=1, max_length=40)]
Recorder = Annotated[Caller, Depends(may("partners.record"))]
Publisher = Annotated[Caller, Depends(may("listings.publish"))]
Reader = Annotated[Caller, Depends(may("listings.read"))]
Canceller = Annotated[Caller, Depends(may("shifts.cancel"))]


@router.put("/partners/{reference}", operation_id="record_partner", response_model=schemas.Partner)
def record_partner(
    reference: Reference, body: schemas.PartnerFacts, caller: Recorder, tx: Tx, seen: ReadIfAny
) -> tables.Partner:
    """Note a partner that may publish; until the partners service tells it, an operator does.

    One that is noted already needs `If-Match`.
    """
    facts = actions.PartnerFacts(**body.model_dump())
    return actions.record_partner(tx, facts, programme_id=caller.programme_id, reference=reference, seen=seen)


@router.get("/partners/{reference}", operation_id="get_partner", response_model=schemas.Partner)
@refuses(NotFound)
def get_partner(reference: Reference, caller: Recorder, tx: Tx) -> tables.Partner:
    """Show what is noted of a partner."""
    return queries.get_partner(tx, programme_id=caller.programme_id, reference=reference)


@router.post("/listings", status_code=201, operation_id="publish_listing")
@refuses(OtherPartner, rules.BadShift, UnknownTimezone, rules.UnknownPartner, rules.ReferenceTaken)
def publish_listing(body: schemas.NewListing, caller: Publisher, tx: Tx, now: Now) -> schemas.Listing:
    """Publish an activity with its shifts; a partner's member publishes for that partner only."""
    caller.require_partner(body.partner_id)
    listing = actions.publish(tx, programme_id=caller.programme_id, listing=_new_listing(body), now=now)
    return _shown(tx, [listing])[0]


@router.get("/listings", operation_id="list_listings", response_model=LISTINGS.page, responses=LISTINGS.responses)
def list_listings(caller: Reader, asked: Annotated[Asked, Depends(LISTINGS.asked)], tx: Tx) -> Answer:
    """List the programme's activities, newest first; a partner's member sees that partner's."""
    rows = queries.listings_of(caller.programme_id, caller.partner_scope)
    return LISTINGS.answer(asked, tx, caller, rows, show=_shown)


@router.get("/shifts/{shift_id}", operation_id="get_shift", response_model=schemas.ShiftOfListing)
@refuses(NotFound)
def get_shift(shift_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one shift and what it is an occasion of."""
    shift, listing = queries.get_shift(
        tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope
    )
    shown = schemas.ShiftOfListing(
        **schemas.Shift.model_validate(shift).model_dump(),
        listing_id=listing.id,
        listing_reference=listing.reference,
        listing_title=listing.title,
        partner_id=listing.partner_id,
        timezone=listing.timezone,
    )
    return Tagged(shift, shown)


@router.post("/shifts/{shift_id}/cancel", operation_id="cancel_shift", response_model=schemas.Shift)
@refuses(NotFound, rules.ShiftHasAttendance)
def cancel_shift(shift_id: UUID, body: schemas.Cancellation, caller: Canceller, tx: Tx, seen: Read) -> tables.Shift:
    """Call a shift off, as long as nobody has checked in; again changes nothing."""
    return actions.cancel_shift(
        tx, programme_id=caller.programme_id, shift_id=shift_id, because=body.reason,
        partner_id=caller.partner_scope, seen=seen,
    )  # fmt: skip


def _new_listing(body: schemas.NewListing) -> actions.NewListing:
    shifts = (
        actions.NewShift(number, rules.Times(shift.starts_at, shift.ends_at), shift.capacity)
        for number, shift in enumerate(body.shifts, start=1)
    )
    return actions.NewListing(body.partner_id, body.reference, body.title, body.timezone, tuple(shifts))


def _shown(tx: Session, listings: Sequence[tables.Listing]) -> list[schemas.Listing]:
    shifts: dict[UUID, list[schemas.Shift]] = {listing.id: [] for listing in listings}
    for shift in queries.list_shifts(tx, list(shifts)):
        shifts[shift.listing_id].append(schemas.Shift.model_validate(shift))
    return [
        schemas.Listing(
            id=listing.id,
            partner_id=listing.partner_id,
            reference=listing.reference,
            title=listing.title,
            timezone=listing.timezone,
            published_at=listing.published_at,
            shifts=shifts[listing.id],
        )
        for listing in listings
    ]
