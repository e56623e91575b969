"""HTTP door of corrections."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.attendance import schemas, tables
from services.activities.attendance.actions import Presence
from services.activities.attendance.rules import AttendanceVoided, BadTimes, InTheFuture, NotSettled
from services.activities.corrections import actions
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["attendance"])

Corrector = Annotated[Caller, Depends(may("attendance.correct"))]


@router.post(
    "/attendances/{attendance_id}/corrections", operation_id="correct_attendance", response_model=schemas.Attendance
)
@refuses(NotFound, AttendanceVoided, BadTimes, InTheFuture)
def correct_attendance(
    attendance_id: UUID, body: schemas.Correction, caller: Corrector, tx: Tx, now: Now, seen: Read
) -> tables.Attendance:
    """Replace what was recorded by what really happened; a new version, and the donation follows."""
    presence = Presence(body.checked_in_at, body.checked_out_at, body.evidence)
    return actions.correct(tx, _decision(attendance_id, body, seen, caller, now), presence)


@router.post("/attendances/{attendance_id}/void", operation_id="void_attendance", response_model=schemas.Attendance)
@refuses(NotFound, AttendanceVoided, NotSettled)
def void_attendance(
    attendance_id: UUID, body: schemas.Void, caller: Corrector, tx: Tx, now: Now, seen: Read
) -> tables.Attendance:
    """Take an attendance back for good; a new version, and the donation follows."""
    return actions.void(tx, _decision(attendance_id, body, seen, caller, now))


def _decision(
    attendance_id: UUID, body: schemas.Void | schemas.Correction, seen: Seen, caller: Caller, now: datetime
) -> actions.Decision:
    return actions.Decision(caller.programme_id, attendance_id, seen, body.reason, caller.person_id, now)
