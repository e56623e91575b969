"""Factories of feedback: the smallest valid row, with what a test is about put in."""

from typing import Any

from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.feedback.tables import Feedback, FeedbackVersion
from services.activities.feedback_forms.rules import Side
from shared.ids import new_id
from tests.factories.activities import NOON, REVIEWER

COPIED = ("version", "form_version", "marks", "texts", "is_complaint", "answered_by", "answered_at")


def make_feedback(tx: Session, attendance: Attendance, *, side: Side = Side.VOLUNTEER, **overrides: Any) -> Feedback:
    """Make an answer by or about somebody who served, or the host's about the shift, in its first version."""
    who = None if side is Side.HOST else attendance.volunteer_id
    values = {
        "id": new_id(),
        "programme_id": attendance.programme_id,
        "side": side.value,
        "shift_id": attendance.shift_id,
        "listing_id": attendance.listing_id,
        "partner_id": attendance.partner_id,
        "volunteer_id": who,
        "service_on": attendance.service_on,
        "version": 1,
        "form_version": 0,
        "marks": {"overall": 5},
        "texts": {},
        "is_complaint": False,
        "answered_by": attendance.volunteer_id if side is Side.VOLUNTEER else REVIEWER,
        "answered_at": NOON,
    }
    row = Feedback(**values | overrides)
    tx.add(row)
    tx.flush()
    tx.add(FeedbackVersion(feedback_id=row.id, **{name: getattr(row, name) for name in COPIED}))
    tx.flush()
    return row
