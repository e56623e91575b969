"""HTTP door of decisions about shifts and activities."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session

from services.activities.listings import schemas as listings
from services.activities.listings.rules import BadShift, ShiftCancelled, ShiftHasAttendance, Times
from services.activities.listings.tables import Listing, Shift
from services.activities.schedules import actions, rules, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["schedules"])

Canceller = Annotated[Caller, Depends(may("shifts.cancel"))]
Decider = Annotated[Caller, Depends(may("shifts.decide"))]
Rescheduler = Annotated[Caller, Depends(may("shifts.reschedule"))]
Ender = Annotated[Caller, Depends(may("listings.end"))]
AHEAD = (NotFound, rules.ShiftStarted, ShiftHasAttendance, ShiftCancelled)


@router.post("/shifts/{shift_id}/go", operation_id="decide_go", response_model=listings.Shift)
@refuses(*AHEAD)
def decide_go(shift_id: UUID, caller: Decider, tx: Tx, now: Now, seen: Read) -> Shift:
    """Decide that a shift happens; again changes nothing."""
    return actions.decide_go(tx, _decision(shift_id, caller, seen, now))


@router.post("/shifts/{shift_id}/no-go", operation_id="decide_no_go", response_model=listings.Shift)
@refuses(*AHEAD)
def decide_no_go(
    shift_id: UUID, body: schemas.Cancellation, caller: Decider, tx: Tx, now: Now, seen: Read
) -> Shift:  # fmt: skip
    """Decide that a shift does not happen, for want of people or another reason; its sign-ups are cancelled."""
    return actions.decide_no_go(tx, _decision(shift_id, caller, seen, now), because=body.reason)


@router.post("/shifts/{shift_id}/cancel", operation_id="cancel_shift", response_model=listings.Shift)
@refuses(*AHEAD)
def cancel_shift(
    shift_id: UUID, body: schemas.Cancellation, caller: Canceller, tx: Tx, now: Now, seen: Read
) -> Shift:  # fmt: skip
    """Call a shift off before it starts and as long as nobody has checked in; its sign-ups are cancelled."""
    return actions.cancel(tx, _decision(shift_id, caller, seen, now), because=body.reason)


@router.post("/shifts/{shift_id}/not-run", operation_id="record_not_run", response_model=listings.Shift)
@refuses(NotFound, rules.ShiftNotStarted, ShiftHasAttendance, ShiftCancelled)
def record_not_run(
    shift_id: UUID, body: schemas.NoRun, caller: Decider, tx: Tx, now: Now, seen: Read
) -> Shift:  # fmt: skip
    """Note that a shift whose time has come did not happen; nobody who signed up has missed it."""
    decision = _decision(shift_id, caller, seen, now)
    return actions.record_not_run(tx, decision, code=body.code, because=body.reason)


@router.post("/shifts/{shift_id}/reschedule", operation_id="reschedule_shift", response_model=listings.Shift)
@refuses(*AHEAD, BadShift)
def reschedule_shift(
    shift_id: UUID, body: schemas.NewTimes, caller: Rescheduler, tx: Tx, now: Now, seen: Read
) -> Shift:  # fmt: skip
    """Move a shift before anybody has come; whoever has signed up may withdraw freely."""
    return actions.reschedule(tx, _decision(shift_id, caller, seen, now), Times(body.starts_at, body.ends_at))


@router.post("/listings/{listing_id}/close", operation_id="close_listing", response_model=listings.Listing)
@refuses(NotFound, rules.ListingEnded)
def close_listing(listing_id: UUID, caller: Ender, tx: Tx, now: Now, seen: Read) -> Tagged:
    """Let nobody new sign up for an activity's shifts; whoever has signed up serves."""
    return _shown(tx, actions.close_listing(tx, _decision(listing_id, caller, seen, now)))


@router.post("/listings/{listing_id}/cancel", operation_id="cancel_listing", response_model=listings.Listing)
@refuses(NotFound)
def cancel_listing(
    listing_id: UUID, body: schemas.Cancellation, caller: Ender, tx: Tx, now: Now, seen: Read
) -> Tagged:  # fmt: skip
    """Call off what of an activity has not begun; its sign-ups are cancelled."""
    listing = actions.cancel_listing(tx, _decision(listing_id, caller, seen, now), because=body.reason)
    return _shown(tx, listing)


def _shown(tx: Session, listing: Listing) -> Tagged:
    return Tagged(listing, listings.shown_listings(tx, [listing])[0])


def _decision(thing_id: UUID, caller: Caller, seen: Seen, now: datetime) -> actions.Decision:
    return actions.Decision(caller.programme_id, thing_id, caller.partner_scope, seen, now)
