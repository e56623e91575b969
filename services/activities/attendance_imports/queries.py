"""The facts that rows of attendance are judged by, and their locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.queries import Recorded, find_recorded
from services.activities.attendance_imports.rules import AttendanceRow, Judge, Key, KnownAttendance
from services.activities.listings.queries import ShiftOfListing, find_shifts, lock_shifts
from services.activities.shift_imports.queries import known_shift
from services.activities.volunteers.queries import known_people, lock_volunteers
from shared.imports.judging import Case, Verdict


@dataclass(frozen=True, slots=True)
class AttendanceFacts:
    """What is recorded of the people, shifts and attendances that rows name."""

    people: dict[str, UUID]
    shifts: dict[tuple[str, int], ShiftOfListing]
    recorded: dict[Key, Recorded]


def attendance_facts(tx: Session, case: Case, rows: Sequence[AttendanceRow]) -> AttendanceFacts:
    """Look up everything that rows of attendance name."""
    people = _people(tx, case, rows)
    shifts = find_shifts(tx, programme_id=case.programme_id, keys={row.shift_key for row in rows})
    pairs = {
        (shifts[row.shift_key].shift.id, people[row.employee_number]): row.key
        for row in rows
        if row.shift_key in shifts and row.employee_number in people
    }
    recorded = {pairs[pair]: attendance for pair, attendance in find_recorded(tx, pairs).items()}
    return AttendanceFacts(people, shifts, recorded)


def judge(case: Case, rows: Sequence[AttendanceRow], facts: AttendanceFacts) -> Verdict:
    """Judge attendance by what is recorded."""
    shifts = {key: known_shift(shift) for key, shift in facts.shifts.items()}
    recorded = {key: KnownAttendance(*record[1:]) for key, record in facts.recorded.items()}
    return Judge(facts.people.keys(), shifts, recorded, case.now).verdict(rows)


def lock_attended(tx: Session, case: Case, rows: Sequence[AttendanceRow]) -> None:
    """Lock the people, then their shifts, as everybody does who settles."""
    lock_volunteers(tx, set(_people(tx, case, rows).values()))
    lock_shifts(tx, programme_id=case.programme_id, references={row.listing_reference for row in rows})


def _people(tx: Session, case: Case, rows: Sequence[AttendanceRow]) -> dict[str, UUID]:
    known = known_people(tx, programme_id=case.programme_id, numbers={row.employee_number for row in rows})
    return {number: person.id for number, person in known.items()}
