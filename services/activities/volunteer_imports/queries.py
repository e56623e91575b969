"""The facts that volunteers' rows are judged by, and their locks."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.eligibility.queries import find_intervals
from services.activities.profiles.queries import find_profiles
from services.activities.profiles.tables import Profile
from services.activities.skills.queries import find_offered
from services.activities.volunteer_imports.rules import NONE, Facts, VolunteerRow, written
from services.activities.volunteers.queries import find_merged, find_suppressed, known_people, lock_volunteers
from shared.imports.judging import Case


def look_up(tx: Session, case: Case, rows: Sequence[VolunteerRow]) -> Facts:
    """Return the names of those who are registered, by employee number, and which of the other numbers were erased.

    What else is recorded is looked up of those alone whom rows say more of.
    """
    numbers = {row.employee_number for row in rows}
    known = known_people(tx, programme_id=case.programme_id, numbers=numbers)
    erased = find_suppressed(tx, programme_id=case.programme_id, numbers=numbers - known.keys())
    ids = {number: person.id for number, person in known.items()}
    there = [(row, ids[row.employee_number]) for row in rows if row.employee_number in ids]
    described = {row.employee_number: person for row, person in there if row.has_profile}
    employed = {row.employee_number: person for row, person in there if row.employed}
    profiles = find_profiles(tx, described.values()) if described else {}
    intervals = find_intervals(tx, employed.values()) if employed else {}
    return Facts(
        names={number: person.display_name for number, person in known.items()},
        erased=erased,
        merged=find_merged(tx, programme_id=case.programme_id, numbers=numbers - known.keys()),
        profiles={number: _columns(profiles[person]) for number, person in described.items() if person in profiles},
        intervals={number: intervals.get(person, []) for number, person in employed.items()},
        offered=find_offered(tx, programme_id=case.programme_id) if any(row.skills for row in rows) else NONE,
    )


def find_ids(tx: Session, case: Case, rows: Sequence[VolunteerRow]) -> dict[str, UUID]:
    """Return who is registered under the employee numbers of rows."""
    known = known_people(tx, programme_id=case.programme_id, numbers={row.employee_number for row in rows})
    return {number: person.id for number, person in known.items()}


def lock_known(tx: Session, case: Case, rows: Sequence[VolunteerRow]) -> None:
    """Lock those who are registered: what is recorded of them must not change between judging and bringing in."""
    lock_volunteers(tx, set(find_ids(tx, case, rows).values()))


def _columns(profile: Profile) -> dict[str, str]:
    """Write a profile as a sheet does."""
    return {
        "department": profile.department or "",
        "city": profile.city or "",
        "skills": written(profile.skills),
        "languages": written(profile.languages),
    }
