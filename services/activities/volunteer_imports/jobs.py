"""The sheet of volunteers, as HR sends it in."""

from services.activities.volunteer_imports import actions, queries, rules
from shared.imports.kinds import ImportKind

VOLUNTEERS = ImportKind(
    name="volunteers",
    permission="volunteers.import",
    row=rules.VolunteerRow,
    columns=rules.columns,
    lock=queries.lock_known,
    look_up=queries.look_up,
    judge=rules.judge,
    bring=actions.bring,
    examples=rules.EXAMPLES,
)
