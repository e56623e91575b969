"""What can be done with volunteers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.volunteers import queries
from services.activities.volunteers.rules import EmployeeNumberTaken, Registration
from services.activities.volunteers.tables import Volunteer
from shared.audit import Change, note

_REGISTER = text("""
    INSERT INTO volunteer (programme_id, employee_number, display_name, registered_at)
    SELECT :programme_id, number, name, :now
    FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[])) AS v(number, name)
    ORDER BY number -- Of two such statements at once neither waits for the other twice.
    ON CONFLICT (programme_id, employee_number) DO NOTHING RETURNING id
""")


def register(tx: Session, *, programme_id: UUID, registration: Registration, now: datetime) -> Volunteer:
    """Register one volunteer. The same person again changes nothing; raises EmployeeNumberTaken for another name."""
    register_all(tx, programme_id=programme_id, registrations=[registration], now=now)
    number = registration.employee_number
    volunteer = queries.find_by_number(tx, programme_id=programme_id, numbers=[number])[number]
    if volunteer.display_name != registration.display_name:
        raise EmployeeNumberTaken(field="employee_number")
    return volunteer


def register_all(tx: Session, *, programme_id: UUID, registrations: Sequence[Registration], now: datetime) -> int:
    """Register those who are not yet, with one statement; return how many were new."""
    columns = {
        "programme_id": programme_id,
        "numbers": [registration.employee_number for registration in registrations],
        "names": [registration.display_name for registration in registrations],
        "now": now,
    }
    new = tx.scalars(_REGISTER, columns).all()
    note(tx, "volunteer", (Change(volunteer_id, None, {}) for volunteer_id in new), added=len(new))
    return len(new)
