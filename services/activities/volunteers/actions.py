"""What can be done with volunteers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.volunteers import queries
from services.activities.volunteers.rules import EmployeeNumberTaken, Registration
from services.activities.volunteers.tables import Volunteer

_REGISTER = text("""
    INSERT INTO volunteer (programme_id, employee_number, display_name, registered_at)
    SELECT :programme_id, number, name, :now
    FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[])) AS v(number, name)
    ORDER BY number -- Of two such statements at once neither waits for the other twice.
    ON CONFLICT (programme_id, employee_number) DO NOTHING RETURNING id
""")

_RENAME = text("""
    UPDATE volunteer SET display_name = v.name
    FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[])) AS v(number, name)
    WHERE programme_id = :programme_id AND employee_number = v.number
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
    return len(tx.scalars(_REGISTER, columns).all())


def rename_all(tx: Session, *, programme_id: UUID, registrations: Sequence[Registration]) -> None:
    """Give registered people the names that are said of them, with one statement; the caller holds their locks."""
    columns = {
        "programme_id": programme_id,
        "numbers": [registration.employee_number for registration in registrations],
        "names": [registration.display_name for registration in registrations],
    }
    tx.execute(_RENAME, columns)
