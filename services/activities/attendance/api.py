"""HTTP door of attendance."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance import actions, queries, schemas, tables
from services.activities.attendance.rules import AttendanceVoided, BadTimes, InTheFuture, NotSettled
from services.activities.attendance.schemas import ATTENDANCES
from services.activities.listings.queries import get_shift
from services.activities.sign_ups.queries import require_place
from services.activities.sign_ups.rules import NotSignedUp
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.fields import Day
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["attendance"])

Reader = Annotated[Caller, Depends(may("attendance.read"))]
Overseer = Annotated[Caller, Depends(may("attendance.oversee"))]
Corrector = Annotated[Caller, Depends(may("attendance.correct"))]
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


@router.post(
    "/attendances/{attendance_id}/corrections", operation_id="correct_attendance", response_model=schemas.Attendance
)
@refuses(NotFound, AttendanceVoided, BadTimes, InTheFuture)
def correct_attendance(
    attendance_id: UUID, body: schemas.Correction, caller: Corrector, tx: Tx, now: Now, seen: Read
) -> tables.Attendance:
    """Replace what was recorded by what really happened; a new version, and the donation follows."""
    presence = actions.Presence(body.checked_in_at, body.checked_out_at, body.evidence)
    return actions.correct(tx, _decision(attendance_id, body, seen, caller, now), presence)


@router.post("/attendances/{attendance_id}/void", operation_id="void_attendance", response_model=schemas.Attendance)
@refuses(NotFound, AttendanceVoided, NotSettled)
def void_attendance(
    attendance_id: UUID, body: schemas.Void, caller: Corrector, tx: Tx, now: Now, seen: Read
) -> tables.Attendance:
    """Take an attendance back for good; a new version, and the donation follows."""
    return actions.void(tx, _decision(attendance_id, body, seen, caller, now))


@router.get("/summary", operation_id="summarise_activities")
def summarise_activities(since: Day, until: Day, caller: Summariser, tx: Tx) -> schemas.Summary:
    """Count what happened on the service dates from `since` up to, not including, `until`."""
    figures = queries.summarise(tx, programme_id=caller.programme_id, since=since, until=until)
    return schemas.Summary(since=since, until=until, **figures)


def _decision(
    attendance_id: UUID, body: schemas.Void | schemas.Correction, seen: Seen, caller: Caller, now: datetime
) -> actions.Decision:
    return actions.Decision(caller.programme_id, attendance_id, seen, body.reason, caller.person_id, now)
