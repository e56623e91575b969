"""HTTP door of rosters, walk-ins, guests, and of what people on a shift report."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance.rules import BadTimes, InTheFuture
from services.activities.check_ins.rules import CheckInClosed, CheckOutClosed
from services.activities.incidents import schemas as incident_schemas
from services.activities.incidents import tables as incident_tables
from services.activities.listings.rules import ShiftCancelled
from services.activities.rosters import actions, queries, rules, schemas, tables
from services.activities.rosters.schemas import WALK_INS
from services.activities.sign_ups.rules import NotSignedUp, SignUpClosed
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["rosters"])

Attester = Annotated[Caller, Depends(may("attendance.attest"))]
Recorder = Annotated[Caller, Depends(may("walk_ins.record"))]
Reader = Annotated[Caller, Depends(may("walk_ins.read"))]
Volunteer = Annotated[Caller, Depends(may("walk_ins.answer"))]
Counter = Annotated[Caller, Depends(may("guests.count"))]
Reporter = Annotated[Caller, Depends(may("incidents.report"))]
ANSWER = (NotFound, rules.WalkInAnswered, rules.WalkInTooLate, rules.HasPlace, SignUpClosed)


@router.post("/shifts/{shift_id}/roster-check-ins", operation_id="attest_presence")
@refuses(NotFound, ShiftCancelled, CheckInClosed, CheckOutClosed)
def attest_presence(shift_id: UUID, body: schemas.Ticks, caller: Attester, tx: Tx, now: Now) -> schemas.AllTicked:
    """Tick off people with a place who come or leave now; who leaves is settled, attested. Again changes nothing."""
    outcomes = actions.attest(tx, _host(shift_id, caller, now), way=body.way, volunteer_ids=set(body.volunteer_ids))
    return schemas.ticked(outcomes)


@router.post("/shifts/{shift_id}/guest-count", operation_id="count_guests", response_model=schemas.Guests)
@refuses(NotFound, ShiftCancelled)
def count_guests(shift_id: UUID, body: schemas.NewGuests, caller: Counter, tx: Tx, now: Now) -> tables.GuestCount:
    """Note how many people were there who are no volunteers; the last count holds, and is never matched."""
    return actions.count_guests(tx, _host(shift_id, caller, now), guests=body.guests)


@router.post(
    "/shifts/{shift_id}/walk-ins", status_code=201, operation_id="record_walk_in", response_model=schemas.WalkIn
)
@refuses(
    NotFound, ShiftCancelled, rules.UnknownEmployee, rules.HasPlace, rules.WalkInExists, rules.WalkInTooLate,
    rules.OwnWalkIn, BadTimes, InTheFuture,
)  # fmt: skip
def record_walk_in(shift_id: UUID, body: schemas.NewWalkIn, caller: Recorder, tx: Tx, now: Now) -> tables.WalkIn:
    """Record an employee who was there without a place; they are asked. Again returns the same."""
    return actions.record_walk_in(
        tx, _host(shift_id, caller, now), number=body.employee_number, came=body.checked_in_at,
        left=body.checked_out_at,
    )  # fmt: skip


@router.get("/walk-ins", operation_id="list_walk_ins", response_model=WALK_INS.page, responses=WALK_INS.responses)
def list_walk_ins(caller: Reader, asked: Annotated[Asked, Depends(WALK_INS.asked)], tx: Tx) -> Answer:
    """List walk-ins: staff sees all, a partner those on its shifts, others their own."""
    return WALK_INS.answer(asked, tx, caller, queries.walk_ins_of(caller.scope))


@router.get("/walk-ins/{walk_in_id}", operation_id="get_walk_in", response_model=schemas.WalkIn)
@refuses(NotFound)
def get_walk_in(walk_in_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one walk-in."""
    walk_in = queries.get_walk_in(tx, caller.scope, walk_in_id)
    return Tagged(walk_in, walk_in)


@router.post("/walk-ins/{walk_in_id}/confirm", operation_id="confirm_walk_in", response_model=schemas.WalkIn)
@refuses(*ANSWER)
def confirm_walk_in(walk_in_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> tables.WalkIn:
    """Confirm that one was there as the partner says; the attendance is settled. Again changes nothing."""
    return actions.answer_walk_in(tx, caller.scope, walk_in_id=walk_in_id, answer=rules.State.CONFIRMED, now=now)


@router.post("/walk-ins/{walk_in_id}/decline", operation_id="decline_walk_in", response_model=schemas.WalkIn)
@refuses(*ANSWER)
def decline_walk_in(walk_in_id: UUID, caller: Volunteer, tx: Tx, now: Now) -> tables.WalkIn:
    """Say that one was not there; nothing is settled. Again changes nothing."""
    return actions.answer_walk_in(tx, caller.scope, walk_in_id=walk_in_id, answer=rules.State.DECLINED, now=now)


@router.post(
    "/shifts/{shift_id}/incidents", status_code=201, operation_id="report_incident",
    response_model=incident_schemas.Incident,
)  # fmt: skip
@refuses(NotFound, NotSignedUp)
def report_incident(
    shift_id: UUID, body: schemas.NewReport, caller: Reporter, tx: Tx, now: Now
) -> incident_tables.Incident:
    """Report something about a shift: as its partner, or as somebody who signed up for it."""
    reporter = actions.Reporter(caller.scope, caller.person_id, shift_id, now)
    return actions.report(tx, reporter, kind=body.kind, details=body.details)


def _host(shift_id: UUID, caller: Caller, now: datetime) -> actions.Host:
    return actions.Host(caller.programme_id, caller.partner_scope, caller.person_id, shift_id, now)
