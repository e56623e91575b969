"""How a sheet of volunteers is brought in."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.activities.eligibility import actions as eligibility
from services.activities.profiles import actions as profiles
from services.activities.volunteer_imports import queries
from services.activities.volunteer_imports.rules import Facts, VolunteerRow, words
from services.activities.volunteers.actions import register_all, rename_all
from services.activities.volunteers.rules import Registration
from shared.imports.judging import Case, Effect
from shared.imports.kinds import Accepted, Tell
from shared.imports.refusals import ImportOutdated

Sheet = Accepted[VolunteerRow, Facts]
BY_SHEET = "the personnel department's sheet"


def bring(tx: Session, case: Case, sheet: Sheet, tell: Tell) -> int:
    """Register who is new, and change what is said otherwise; return how many somebody else registered meanwhile.

    Raises ImportOutdated if that was under another name: a new row cannot be locked before it is there.
    """
    by_effect: dict[Effect, list[VolunteerRow]] = {effect: [] for effect in Effect}
    for row, effect in zip(sheet.rows, sheet.verdict.effects, strict=True):
        by_effect[effect].append(row)
    new, other = by_effect[Effect.CREATE], by_effect[Effect.UPDATE]
    added = register_all(tx, programme_id=case.programme_id, registrations=_registrations(new), now=case.now)
    if added < len(new):
        names = queries.look_up(tx, case, new).names
        if changed := sum(names[row.employee_number] != row.display_name for row in new):
            raise ImportOutdated(rows=changed)
    renamed = [row for row in other if sheet.facts.names[row.employee_number] != row.display_name]
    rename_all(tx, programme_id=case.programme_id, registrations=_registrations(renamed))
    _say_more(tx, case, sheet.facts, [row for row in (*new, *other) if row.has_profile or row.employed])
    tell(len(sheet.rows))
    return len(new) - added


def _registrations(rows: Sequence[VolunteerRow]) -> list[Registration]:
    return [Registration(row.employee_number, row.display_name) for row in rows]


def _say_more(tx: Session, case: Case, facts: Facts, rows: Sequence[VolunteerRow]) -> None:
    """Take over what rows say besides the name."""
    if not rows:
        return
    ids = queries.find_ids(tx, case, rows)
    said = [
        profiles.Said(
            ids[row.employee_number], row.department, row.city, words(row.languages), words(row.skills)
        )
        for row in rows if row.has_profile
    ]  # fmt: skip
    profiles.take_over(tx, said, programme_id=case.programme_id, by=case.by, now=case.now)
    intervals = {
        ids[row.employee_number]: row.employed
        for row in rows
        if row.employed is not None and row.employed not in facts.intervals.get(row.employee_number, ())
    }
    told = eligibility.Record(case.programme_id, BY_SHEET, case.by, case.now)
    eligibility.take_over(tx, told, intervals)
