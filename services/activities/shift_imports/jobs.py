"""The sheet of listings and shifts, as operators send it in."""

from services.activities.shift_imports import actions, queries, rules
from shared.imports.kinds import ImportKind

SHIFTS = ImportKind(
    name="shifts",
    permission="shifts.import",
    row=rules.ShiftRow,
    columns=rules.columns,
    lock=queries.lock_references,
    look_up=queries.listing_facts,
    judge=rules.judge,
    bring=actions.bring,
    examples=rules.EXAMPLES,
)
