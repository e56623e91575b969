"""HTTP door of attendance."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance import queries, schemas
from services.activities.attendance.schemas import ATTENDANCES
from services.activities.listings.queries import get_shift
from services.activities.sign_ups.queries import require_place
from services.activities.sign_ups.rules import NotSignedUp
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.fields import Day
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["attendance"])

Reader = Annotated[Caller, Depends(may("attendance.read"))]
Overseer = Annotated[Caller, Depends(may("attendance.oversee"))]
Summariser = Annotated[Caller, Depends(may("activities.summarise"))]


@router.get(
    "/shifts/{shift_id}/attendance/mine", operation_id="get_own_attendance", response_model=schemas.OwnAttendance
)
@refuses(NotFound, NotSignedUp)
def get_own_attendance(shift_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show how the caller stands with a shift."""
    shift, _ = get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id)
    require_place(tx, shift_id=shift.id, volunteer_id=caller.person_id)
    attendance = queries.find_attendance(tx, shift_id=shift.id, volunteer_id=caller.person_id)
    return Tagged(attendance, attendance or schemas.OwnAttendance())


@router.get(
    "/attendances", operation_id="list_attendances", response_model=ATTENDANCES.page, responses=ATTENDANCES.responses
)
def list_attendances(caller: Overseer, asked: Annotated[Asked, Depends(ATTENDANCES.asked)], tx: Tx) -> Answer:
    """List attendances; a partner's member sees that partner's."""
    rows = queries.attendances_of(caller.programme_id, caller.partner_scope)
    return ATTENDANCES.answer(asked, tx, caller, rows)


@router.get("/attendances/{attendance_id}", operation_id="get_attendance", response_model=schemas.History)
@refuses(NotFound)
def get_attendance(attendance_id: UUID, caller: Overseer, tx: Tx) -> Tagged:
    """Show one attendance with every decision about it."""
    attendance = queries.get_attendance(
        tx, programme_id=caller.programme_id, attendance_id=attendance_id, partner_id=caller.partner_scope
    )
    versions = [schemas.Version.model_validate(row) for row in queries.list_versions(tx, attendance_id)]
    shown = schemas.History(**schemas.Attendance.model_validate(attendance).model_dump(), versions=versions)
    return Tagged(attendance, shown)


@router.get("/summary", operation_id="summarise_activities")
def summarise_activities(since: Day, until: Day, caller: Summariser, tx: Tx) -> schemas.Summary:
    """Count what happened on the service dates from `since` up to, not including, `until`."""
    figures = queries.summarise(tx, programme_id=caller.programme_id, since=since, until=until)
    return schemas.Summary(since=since, until=until, **figures)
