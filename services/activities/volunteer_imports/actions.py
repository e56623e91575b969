"""How a sheet of volunteers is brought in."""

from sqlalchemy.orm import Session

from services.activities.volunteer_imports import queries
from services.activities.volunteer_imports.rules import Facts, VolunteerRow
from services.activities.volunteers.actions import register_all, rename_all
from services.activities.volunteers.rules import Registration
from shared.imports.judging import Case, Effect
from shared.imports.kinds import Accepted, Tell
from shared.imports.refusals import ImportOutdated

Sheet = Accepted[VolunteerRow, Facts]


def bring(tx: Session, case: Case, sheet: Sheet, tell: Tell) -> int:
    """Register who is new, and rename who is called otherwise; return how many somebody else registered meanwhile.

    Raises ImportOutdated if that was under another name: a new row cannot be locked before it is there.
    """
    new = [row for row, effect in zip(sheet.rows, sheet.verdict.effects, strict=True) if effect is Effect.CREATE]
    other = [row for row, effect in zip(sheet.rows, sheet.verdict.effects, strict=True) if effect is Effect.UPDATE]
    registrations = [Registration(*row) for row in new]
    added = register_all(tx, programme_id=case.programme_id, registrations=registrations, now=case.now)
    if added < len(new):
        names = queries.look_up(tx, case, new).names
        if changed := sum(names[row.employee_number] != row.display_name for row in new):
            raise ImportOutdated(rows=changed)
    rename_all(tx, programme_id=case.programme_id, registrations=[Registration(*row) for row in other])
    tell(len(sheet.rows))
    return len(new) - added
