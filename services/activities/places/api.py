"""HTTP door of places."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.listings.rules import ShiftCancelled, ShiftClosed
from services.activities.listings.schemas import shown_shifts
from services.activities.places import actions, queries, rules, schemas
from services.activities.sign_ups.rules import SignUpClosed
from services.activities.sign_ups.tables import SignUp
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Day
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.web.together import together

router = Router(tags=["sign-ups"])

Volunteer = Annotated[Caller, Depends(may("sign_ups.make"))]
OwnReader = Annotated[Caller, Depends(may("sign_ups.read_own"))]
Overseer = Annotated[Caller, Depends(may("sign_ups.oversee"))]
Excuser = Annotated[Caller, Depends(may("sign_ups.excuse"))]
UPCOMING = schemas.When.UPCOMING


@router.post("/shifts/{shift_id}/sign-ups", status_code=201, operation_id="sign_up", response_model=schemas.SignUp)
@refuses(NotFound, ShiftCancelled, ShiftClosed, rules.ShiftOver, rules.ShiftFull, SignUpClosed, rules.OverlappingShift)
@together(actions.sign_up_many, hold=actions.hold)
def sign_up(shift_id: UUID, caller: Volunteer, now: Now) -> actions.Wish:
    """Take a place on a shift for oneself, or one in the line when it is full; again returns the same."""
    return actions.Wish(caller.programme_id, shift_id, caller.person_id, now)


@router.post("/sign-ups/{sign_up_id}/accept", operation_id="accept_offer", response_model=schemas.SignUp)
@refuses(NotFound, rules.NoOffer, rules.OfferOver, ShiftCancelled, rules.OverlappingShift)
def accept_offer(sign_up_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> SignUp:
    """Take the place that is kept for oneself."""
    return actions.accept(tx, _own(sign_up_id, caller, now))


@router.post("/sign-ups/{sign_up_id}/decline", operation_id="decline_offer", response_model=schemas.SignUp)
@refuses(NotFound, rules.NoOffer, rules.OfferOver)
def decline_offer(sign_up_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> SignUp:
    """Leave the place that is kept for oneself to the next in the line."""
    return actions.decline(tx, _own(sign_up_id, caller, now))


@router.post("/sign-ups/{sign_up_id}/withdraw", operation_id="withdraw_sign_up", response_model=schemas.SignUp)
@refuses(NotFound, rules.ShiftNear, SignUpClosed)
def withdraw_sign_up(sign_up_id: UUID, body: schemas.Withdrawal, caller: Volunteer, tx: Tx, now: Now) -> SignUp:
    """Give one's place back, or leave the line; less than a day before the start it is noted as late."""
    return actions.withdraw(tx, _own(sign_up_id, caller, now), because=body.because)


@router.get("/sign-ups/mine", operation_id="list_own_sign_ups")
def list_own_sign_ups(caller: OwnReader, tx: Tx, now: Now, when: schemas.When = UPCOMING) -> schemas.OwnSignUps:
    """Show one's own sign-ups with their shifts: for what is to come or under way, or for what is over."""
    places = queries.list_own(
        tx, programme_id=caller.programme_id, volunteer_id=caller.person_id, now=now, past=when is schemas.When.PAST
    )
    return schemas.OwnSignUps(items=[schemas.own(place) for place in places])


@router.get("/boards/shifts", operation_id="show_shift_board")
@refuses(rules.TooManyDays)
def show_shift_board(since: Day, until: Day, caller: Overseer, tx: Tx) -> schemas.Board:
    """Show the shifts of the service dates from `since` to before `until`, with their places, lines and minimums."""
    rules.require_days(since, until)
    rows = queries.board_of(caller.programme_id, caller.partner_scope, since=since, until=until)
    shifts = shown_shifts(tx, tx.scalars(rows).all())
    counts = queries.count_places(tx, [shift.id for shift in shifts])
    return schemas.Board(items=[schemas.on_board(shift, counts) for shift in shifts])


@router.get("/boards/fill", operation_id="sum_fill")
@refuses(rules.TooManyDays)
def sum_fill(since: Day, until: Day, caller: Overseer, tx: Tx) -> schemas.Fills:
    """Add up how full the shifts of the days from `since` to before `until` are, by partner; a year at most."""
    rules.require_days(since, until, most=rules.MOST_DAYS_OF_FILL)
    found = queries.sum_fill(tx, caller.programme_id, caller.partner_scope, since=since, until=until)
    return schemas.fills(found, since=since, until=until)


@router.get("/sign-ups/{sign_up_id}", operation_id="get_sign_up", response_model=schemas.SignUp)
@refuses(NotFound)
def get_sign_up(sign_up_id: UUID, caller: Overseer, tx: Tx) -> Tagged:
    """Show one sign-up; a partner's member sees those on that partner's shifts."""
    place = queries.get_sign_up(
        tx, programme_id=caller.programme_id, sign_up_id=sign_up_id, partner_id=caller.partner_scope
    )
    return Tagged(place, place)


@router.post("/sign-ups/{sign_up_id}/excuse", operation_id="excuse_sign_up", response_model=schemas.SignUp)
@refuses(NotFound, rules.ShiftNear, SignUpClosed)
def excuse_sign_up(
    sign_up_id: UUID, body: schemas.Excuse, caller: Excuser, tx: Tx, now: Now, seen: Read
) -> SignUp:  # fmt: skip
    """Accept, for a reason, that somebody cannot come to a shift, or could not; the place is free again."""
    return actions.excuse(
        tx, actions.Decision(caller.programme_id, sign_up_id, caller.partner_scope, seen, body.reason, now)
    )


def _own(sign_up_id: UUID, caller: Caller, now: datetime) -> actions.Own:
    return actions.Own(caller.programme_id, sign_up_id, caller.person_id, now)
