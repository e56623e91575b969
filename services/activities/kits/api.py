"""HTTP door of kits: issuing and sending them, where to, and that they have arrived."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.kits import actions, queries, rules, schemas, tables
from services.activities.kits.schemas import KITS
from services.activities.listings.queries import get_listing, get_shift
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.events.activities_kits import KitSide
from shared.money import CURRENCY
from shared.roles import Reach
from shared.web.doors import Now, Tx, may
from shared.web.fields import Money
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["kits"])

Host = Annotated[Caller, Depends(may("kits.handle"))]
Own = Annotated[Caller, Depends(may("kits.receive"))]
Reader = Annotated[Caller, Depends(may("kits.read"))]
TermsReader = Annotated[Caller, Depends(may("listings.read"))]
AddressReader = Annotated[Caller, Depends(may("kits.read_address"))]


@router.get("/listings/{listing_id}/kit-terms", operation_id="show_kit_terms")
@refuses(NotFound, rules.NoKitTerms)
def show_kit_terms(listing_id: UUID, caller: TermsReader, tx: Tx) -> schemas.KitTerms:
    """Show what was agreed of an activity's kits: contents, ceiling of the cost, and when they are due back."""
    listing = get_listing(
        tx, programme_id=caller.programme_id, listing_id=listing_id, partner_id=caller.partner_scope
    )  # fmt: skip
    terms = queries.find_terms(tx, listing.id)
    ceiling = Money(currency=CURRENCY, fen=terms.ceiling_fen)
    return schemas.KitTerms(
        listing_id=listing.id, contents=terms.contents, ceiling=ceiling, due_days=terms.due_days
    )  # fmt: skip


@router.post("/shifts/{shift_id}/kits", status_code=201, operation_id="issue_kits")
@refuses(NotFound, rules.NoKitTerms, rules.ShiftUndecided)
def issue_kits(shift_id: UUID, body: schemas.NewKits, caller: Host, tx: Tx, now: Now) -> schemas.KitOutcomes:
    """Issue kits to people with a place on a shift of one's own that is going to happen. Again changes nothing."""
    host = _host(caller, now)
    return schemas.outcomes(actions.issue(tx, host, shift_id=shift_id, volunteer_ids=body.volunteer_ids))


@router.get("/shifts/{shift_id}/kit-addresses", operation_id="list_kit_addresses")
@refuses(NotFound)
def list_kit_addresses(shift_id: UUID, caller: Host, tx: Tx) -> schemas.KitAddresses:
    """List where the kits go that are to be sent for a shift, for the labels; only of those who consent."""
    get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope)
    rows = queries.list_addresses(tx, shift_id=shift_id)
    return schemas.KitAddresses(items=[schemas.KitAddress.model_validate(row) for row in rows])


@router.post("/shifts/{shift_id}/kit-shipments", status_code=201, operation_id="ship_kits")
@refuses(NotFound, rules.ShiftUndecided)
def ship_kits(shift_id: UUID, body: schemas.NewParcels, caller: Host, tx: Tx, now: Now) -> schemas.KitOutcomes:
    """Note which kits were handed to a carrier, and under which numbers. Again changes nothing."""
    parcels = [item.told() for item in body.items]
    return schemas.outcomes(actions.ship(tx, _host(caller, now), shift_id=shift_id, parcels=parcels))


@router.get("/kits", operation_id="list_kits", response_model=KITS.page, responses=KITS.responses)
def list_kits(caller: Reader, asked: Annotated[Asked, Depends(KITS.asked)], tx: Tx) -> Answer:
    """List kits: staff sees all, and what is overdue by `state` and `due_before`; partners and people their own."""
    return KITS.answer(asked, tx, caller, queries.kits_of(caller.scope))


@router.get("/kits/{kit_id}", operation_id="get_kit", response_model=schemas.Kit)
@refuses(NotFound)
def get_kit(kit_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one kit."""
    kit = queries.get_kit(tx, caller.scope, kit_id)
    return Tagged(kit, kit)


@router.post("/kits/{kit_id}/address", operation_id="give_kit_address", response_model=schemas.Kit)
@refuses(NotFound, rules.KitStateDiffers, rules.AddressConsentNeeded)
def give_kit_address(kit_id: UUID, body: schemas.NewAddress, caller: Own, tx: Tx, now: Now) -> tables.Kit:
    """Say where one's kit is to be sent, until it was; it takes the consent `kit_address`. Not repeated in answers."""
    return actions.give_address(tx, caller.scope, kit_id, body.told(), now=now)


@router.get("/kits/{kit_id}/address", operation_id="get_kit_address")
@refuses(NotFound)
def get_kit_address(kit_id: UUID, caller: AddressReader, tx: Tx) -> schemas.KitAddress:
    """Show where a kit goes: to its person and operators; to the partner until it has arrived, with consent alone."""
    return schemas.KitAddress.model_validate(queries.get_address(tx, caller.scope, kit_id))


@router.post("/kits/{kit_id}/receive", operation_id="confirm_kit_receipt", response_model=schemas.Kit)
@refuses(NotFound, rules.KitStateDiffers)
def confirm_kit_receipt(kit_id: UUID, caller: Own, tx: Tx, now: Now) -> tables.Kit:
    """Confirm, with one tap, that one's kit has arrived; again changes nothing."""
    return actions.receive(tx, handling_of(kit_id, caller, now), evidence=None)


@router.post("/kits/{kit_id}/record-receipt", operation_id="record_kit_receipt", response_model=schemas.Kit)
@refuses(NotFound, rules.KitStateDiffers)
def record_kit_receipt(kit_id: UUID, body: schemas.Evidence, caller: Host, tx: Tx, now: Now) -> tables.Kit:
    """Record that a kit has arrived, on what evidence; again changes nothing."""
    return actions.receive(tx, handling_of(kit_id, caller, now), evidence=body.evidence_note)


@router.post("/kits/{kit_id}/cancel", operation_id="cancel_kit", response_model=schemas.Kit)
@refuses(NotFound, rules.KitStateDiffers)
def cancel_kit(kit_id: UUID, caller: Host, tx: Tx, now: Now) -> tables.Kit:
    """Take back a kit that was not sent; another one may be issued. Again changes nothing."""
    return actions.cancel(tx, handling_of(kit_id, caller, now))


def handling_of(kit_id: UUID, caller: Caller, now: datetime) -> actions.Handling:
    """Say who says what became of a kit."""
    sides = {Reach.PERSON: KitSide.VOLUNTEER, Reach.PARTNER: KitSide.PARTNER, Reach.PROGRAMME: KitSide.OPERATOR}
    return actions.Handling(caller.scope, kit_id, caller.person_id, sides[caller.reach], now)


def _host(caller: Caller, now: datetime) -> actions.Host:
    return actions.Host(caller.programme_id, caller.person_id, caller.partner_scope, now)
