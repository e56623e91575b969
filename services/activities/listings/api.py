"""HTTP door of listings and shifts."""

from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends

from services.activities.listings import actions, queries, rules, schemas
from services.activities.listings.schemas import LISTINGS, SHIFTS
from services.activities.partners.rules import UnknownPartner
from services.activities.recurrences.rules import BadRepetition, TooManyShifts, UnclearLocalTime
from shared.auth.callers import Caller, OtherPartner
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router, reading
from shared.zones import UnknownTimezone, zone

router = Router(tags=["listings"])

Publisher = Annotated[Caller, Depends(may("listings.publish"))]
Reader = Annotated[Caller, Depends(may("listings.read"))]
PLAN = (rules.BadShift, UnknownTimezone, BadRepetition, TooManyShifts, UnclearLocalTime)


@router.post("/listings", status_code=201, operation_id="publish_listing")
@refuses(OtherPartner, UnknownPartner, rules.ReferenceTaken, *PLAN)
def publish_listing(body: schemas.NewListing, caller: Publisher, tx: Tx, now: Now) -> schemas.Listing:
    """Publish an activity with its shifts; a partner's member publishes for that partner only."""
    caller.require_partner(body.partner_id)
    listing = actions.publish(tx, programme_id=caller.programme_id, listing=_new_listing(body), now=now)
    return schemas.shown_listings(tx, [listing])[0]


@router.post("/shift-previews", operation_id="preview_shifts")
@reading
@refuses(*PLAN)
def preview_shifts(body: schemas.ShiftPlan, caller: Publisher) -> schemas.WrittenOut:  # noqa: ARG001  A permission, all the same.
    """Show what shifts come to that repeat, each by itself, as they would be published; changes nothing."""
    shifts = _planned(body)
    actions.require_shifts(shifts)
    return schemas.WrittenOut(items=[_planned_shift(each, zone(body.timezone)) for each in shifts])


@router.get("/listings", operation_id="list_listings", response_model=LISTINGS.page, responses=LISTINGS.responses)
def list_listings(caller: Reader, asked: Annotated[Asked, Depends(LISTINGS.asked)], tx: Tx) -> Answer:
    """List the programme's activities, newest first; a partner's member sees that partner's."""
    rows = queries.listings_of(caller.programme_id, caller.partner_scope)
    return LISTINGS.answer(asked, tx, caller, rows, show=schemas.shown_listings)


@router.get("/listings/{listing_id}", operation_id="get_listing", response_model=schemas.Listing)
@refuses(NotFound)
def get_listing(listing_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one activity with its shifts; its tag is of the activity alone."""
    listing = queries.get_listing(
        tx, programme_id=caller.programme_id, listing_id=listing_id, partner_id=caller.partner_scope
    )
    return Tagged(listing, schemas.shown_listings(tx, [listing])[0])


@router.get("/shifts", operation_id="list_shifts", response_model=SHIFTS.page, responses=SHIFTS.responses)
def list_shifts(caller: Reader, asked: Annotated[Asked, Depends(SHIFTS.asked)], tx: Tx) -> Answer:
    """List the programme's shifts, soonest first; a partner's member sees that partner's."""
    rows = queries.shifts_of(caller.programme_id, caller.partner_scope)
    return SHIFTS.answer(asked, tx, caller, rows, show=schemas.shown_shifts)


@router.get("/shifts/{shift_id}", operation_id="get_shift", response_model=schemas.ShiftOfListing)
@refuses(NotFound)
def get_shift(shift_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one shift and what it is an occasion of."""
    shift, listing = queries.get_shift(
        tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope
    )
    return Tagged(shift, schemas.of_listing(shift, listing))


def _planned(plan: schemas.NewListing | schemas.ShiftPlan) -> tuple[actions.NewShift, ...]:
    return actions.planned((shift.told() for shift in plan.shifts), timezone=plan.timezone)


def _new_listing(body: schemas.NewListing) -> actions.NewListing:
    return actions.NewListing(body.partner_id, body.reference, body.title, body.timezone, _planned(body))


def _planned_shift(shift: actions.NewShift, timezone: ZoneInfo) -> schemas.PlannedShift:
    times = shift.times
    return schemas.PlannedShift(
        number=shift.number, starts_at=times.starts_at, ends_at=times.ends_at,
        service_on=rules.service_date(times.starts_at, timezone), capacity=shift.capacity, minimum=shift.minimum,
    )  # fmt: skip
