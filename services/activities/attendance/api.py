"""HTTP door of attendance."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.activities.attendance import actions, queries, schemas, tables
from services.activities.attendance.rules import AttendanceVoided, BadTimes, InTheFuture, NotSettled, StaleVersion
from services.activities.listings.queries import get_shift
from services.activities.sign_ups.queries import require_place
from services.activities.sign_ups.rules import NotSignedUp
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Day, Limit
from shared.web.refusals import refuses

router = APIRouter(tags=["attendance"])

Reader = Annotated[Caller, Depends(may("attendance.read"))]
Overseer = Annotated[Caller, Depends(may("attendance.oversee"))]
Corrector = Annotated[Caller, Depends(may("attendance.correct"))]
Summariser = Annotated[Caller, Depends(may("activities.summarise"))]


@router.get("/shifts/{shift_id}/attendance/mine", operation_id="get_own_attendance")
@refuses(NotFound, NotSignedUp)
def get_own_attendance(shift_id: UUID, caller: Reader, tx: Tx) -> schemas.OwnAttendance:
    """Show how the caller stands with a shift."""
    shift, _ = get_shift(tx, programme_id=caller.programme_id, shift_id=shift_id)
    require_place(tx, shift_id=shift.id, volunteer_id=caller.person_id)
    attendance = queries.find_attendance(tx, shift_id=shift.id, volunteer_id=caller.person_id)
    return schemas.OwnAttendance.model_validate(attendance) if attendance else schemas.OwnAttendance()


@router.get("/attendances", operation_id="list_attendances")
def list_attendances(
    caller: Overseer,
    tx: Tx,
    shift_id: UUID | None = None,
    after: UUID | None = None,
    limit: Limit = 50,
) -> schemas.Attendances:
    """List attendances; a partner's member sees that partner's."""
    rows = queries.list_attendance(
        tx,
        programme_id=caller.programme_id,
        shift_id=shift_id,
        partner_id=caller.partner_scope,
        page=queries.Page(after, limit),
    )
    items = [schemas.Attendance.model_validate(row) for row in rows]
    return schemas.Attendances(items=items, next=rows[-1].id if len(rows) == limit else None)


@router.get("/attendances/{attendance_id}", operation_id="get_attendance")
@refuses(NotFound)
def get_attendance(attendance_id: UUID, caller: Overseer, tx: Tx) -> schemas.History:
    """Show one attendance with every decision about it."""
    attendance = queries.get_attendance(
        tx, programme_id=caller.programme_id, attendance_id=attendance_id, partner_id=caller.partner_scope
    )
    versions = [schemas.Version.model_validate(row) for row in queries.list_versions(tx, attendance_id)]
    return schemas.History(**schemas.Attendance.model_validate(attendance).model_dump(), versions=versions)


@router.post(
    "/attendances/{attendance_id}/corrections", operation_id="correct_attendance", response_model=schemas.Attendance
)
@refuses(NotFound, StaleVersion, AttendanceVoided, BadTimes, InTheFuture)
def correct_attendance(
    attendance_id: UUID, body: schemas.Correction, caller: Corrector, tx: Tx, now: Now
) -> tables.Attendance:
    """Replace what was recorded by what really happened; a new version, and the donation follows."""
    presence = actions.Presence(body.checked_in_at, body.checked_out_at, body.evidence)
    return actions.correct(tx, _decision(attendance_id, body, caller, now), presence)


@router.post("/attendances/{attendance_id}/void", operation_id="void_attendance", response_model=schemas.Attendance)
@refuses(NotFound, StaleVersion, AttendanceVoided, NotSettled)
def void_attendance(attendance_id: UUID, body: schemas.Void, caller: Corrector, tx: Tx, now: Now) -> tables.Attendance:
    """Take an attendance back for good; a new version, and the donation follows."""
    return actions.void(tx, _decision(attendance_id, body, caller, now))


@router.get("/summary", operation_id="summarise_activities")
def summarise_activities(since: Day, until: Day, caller: Summariser, tx: Tx) -> schemas.Summary:
    """Count what happened on the service dates from `since` up to, not including, `until`."""
    figures = queries.summarise(tx, programme_id=caller.programme_id, since=since, until=until)
    return schemas.Summary(since=since, until=until, **figures)


def _decision(
    attendance_id: UUID, body: schemas.Void | schemas.Correction, caller: Caller, now: datetime
) -> actions.Decision:
    return actions.Decision(caller.programme_id, attendance_id, body.version, body.reason, caller.person_id, now)
