"""The attendance sheet, as operators send it in."""

from services.activities.attendance_imports import actions, queries, rules
from shared.imports.kinds import ImportKind

ATTENDANCE = ImportKind(
    name="attendance",
    permission="attendance.import",
    row=rules.AttendanceRow,
    columns=rules.columns,
    lock=queries.lock_attended,
    look_up=queries.attendance_facts,
    judge=queries.judge,
    bring=actions.bring,
    examples=rules.EXAMPLES,
)
