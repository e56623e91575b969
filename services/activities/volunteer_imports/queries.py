"""The facts that volunteers' rows are judged by, and their locks."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.activities.volunteer_imports.rules import Facts, VolunteerRow
from services.activities.volunteers.queries import find_suppressed, known_people, lock_volunteers
from shared.imports.judging import Case


def look_up(tx: Session, case: Case, rows: Sequence[VolunteerRow]) -> Facts:
    """Return the names of those who are registered, by employee number, and which of the other numbers were erased."""
    numbers = {row.employee_number for row in rows}
    known = known_people(tx, programme_id=case.programme_id, numbers=numbers)
    erased = find_suppressed(tx, programme_id=case.programme_id, numbers=numbers - known.keys())
    return Facts({number: person.display_name for number, person in known.items()}, erased)


def lock_known(tx: Session, case: Case, rows: Sequence[VolunteerRow]) -> None:
    """Lock those who are registered: their names must not change between judging and bringing in."""
    known = known_people(tx, programme_id=case.programme_id, numbers={row.employee_number for row in rows})
    lock_volunteers(tx, {person.id for person in known.values()})
