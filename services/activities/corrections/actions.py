"""What a reviewer decides about one attendance: what really happened, or that it never did."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance import queries, rules
from services.activities.attendance.actions import Presence, Settlement, presence_of, settle_few
from services.activities.attendance.tables import Attendance
from services.activities.listings.queries import get_shift
from services.activities.listings.tables import Shift
from services.activities.volunteers.queries import lock_volunteers
from shared.seen import Seen


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides about an attendance, on which reading of it, when and why."""

    programme_id: UUID
    attendance_id: UUID
    seen: Seen
    reason: str
    decided_by: UUID
    at: datetime


def correct(tx: Session, decision: Decision, presence: Presence) -> Attendance:
    """Replace what was recorded by what really happened; this also settles one that lacks its check-out.

    Raises NotFound, ChangedSince, AttendanceVoided, BadTimes, InTheFuture.
    """
    rules.require_times(presence.checked_in_at, presence.checked_out_at, now=decision.at)
    attendance, shift = _lock_decided(tx, decision, rules.Command.CORRECT)
    rules.require_on_shift(
        presence.checked_in_at, presence.checked_out_at, starts_at=shift.starts_at, ends_at=shift.ends_at
    )
    return _decide(tx, decision, attendance, shift, presence)


def void(tx: Session, decision: Decision) -> Attendance:
    """Take a settled attendance back for good: a new version with no minutes.

    Raises NotFound, ChangedSince, AttendanceVoided, NotSettled.
    """
    attendance, shift = _lock_decided(tx, decision, rules.Command.VOID)
    return _decide(tx, decision, attendance, shift, presence_of(attendance), voided=True)


def _decide(
    tx: Session, decision: Decision, attendance: Attendance, shift: Shift, presence: Presence, *, voided: bool = False
) -> Attendance:
    """Settle one attendance anew."""
    settlement = Settlement(
        attendance.id, attendance.volunteer_id, shift, attendance.version + 1, presence, decision.reason,
        decision.decided_by, decision.at, voided, attendance,
    )  # fmt: skip
    return settle_few(tx, [settlement])[attendance.id]


def _lock_decided(tx: Session, decision: Decision, command: rules.Command) -> tuple[Attendance, Shift]:
    """Lock the person, then read the record again: it may have changed while we waited."""
    attendance = queries.get_attendance(tx, programme_id=decision.programme_id, attendance_id=decision.attendance_id)
    lock_volunteers(tx, [attendance.volunteer_id])
    tx.refresh(attendance)
    decision.seen.require(attendance)
    rules.require_decidable(attendance.state, command)
    shift, _ = get_shift(tx, programme_id=decision.programme_id, shift_id=attendance.shift_id)
    return attendance, shift
