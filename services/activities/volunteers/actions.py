"""What can be done with volunteers."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from services.activities.volunteers import queries
from services.activities.volunteers.rules import (
    EmployeeNumberTaken,
    Registration,
    pseudonym,
    require_comes_back,
    require_free,
    require_not_merged,
)
from services.activities.volunteers.tables import SuppressedNumber, Volunteer
from shared import bus
from shared.audit import Change, note
from shared.audit.trail import HIDDEN
from shared.database.arrays import among
from shared.events.activities import VolunteerErased, VolunteerRegistered
from shared.privacy.locks import lock_against_erasure
from shared.privacy.suppression import suppressor

_REGISTER = text("""
    INSERT INTO volunteer (programme_id, employee_number, display_name, registered_at)
    SELECT :programme_id, number, name, :now
    FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[])) AS v(number, name)
    ORDER BY number -- Of two such statements at once neither waits for the other twice.
    ON CONFLICT (programme_id, employee_number) DO NOTHING RETURNING id
""")
_FORGET_SUPPRESSED = text("""
    DELETE FROM suppressed_number WHERE (programme_id, digest) IN (
        SELECT programme_id, digest FROM suppressed_number WHERE erased_at < :before ORDER BY erased_at LIMIT :limit)
    RETURNING digest
""")

_POINT = text("""
    UPDATE volunteer SET merged_into = :kept_id, merged_at = coalesce(merged_at, :now)
    WHERE id = :merged_id OR merged_into = :merged_id RETURNING id
""")
_RENAME = text("""
    UPDATE volunteer SET display_name = v.name
    FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[])) AS v(number, name)
    WHERE programme_id = :programme_id AND employee_number = v.number RETURNING id
""")


def register(
    tx: Session, *, programme_id: UUID, registration: Registration, comes_back: bool = False, now: datetime
) -> Volunteer:
    """Register one volunteer. The same person again changes nothing.

    Raises EmployeeNumberTaken for another name, ReservedNumber, RecordMerged, and ErasedEarlier for the number of
    somebody who was erased, unless that person `comes_back`: then as somebody new, whom nothing joins to what was
    before.
    """
    number = registration.employee_number
    require_free(number)
    lock_against_erasure(tx, programme_id=programme_id)
    register_all(tx, programme_id=programme_id, registrations=[registration], now=now)
    if queries.find_suppressed(tx, programme_id=programme_id, numbers=[number]):
        require_comes_back(comes_back=comes_back)
        _lift(tx, programme_id=programme_id, number=number)
    volunteer = queries.find_by_number(tx, programme_id=programme_id, numbers=[number])[number]
    require_not_merged(volunteer.merged_into)
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
    bus.emit_all(tx, [VolunteerRegistered(programme_id=programme_id, volunteer_id=i, registered_at=now) for i in new])
    return len(new)


def pseudonymise(tx: Session, volunteer: Volunteer, *, now: datetime) -> None:
    """Put pseudonyms in the place of a locked person's name and number, and remember the number's digest alone."""
    digest = suppressor().digest(volunteer.employee_number, scope=str(volunteer.programme_id))
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # The instant would join the two.
    tx.merge(
        SuppressedNumber(programme_id=volunteer.programme_id, digest=digest.value, key_id=digest.key_id, erased_at=day)
    )
    left = pseudonym(uuid4())
    volunteer.employee_number, volunteer.display_name, volunteer.erased_at = *astuple(left), now
    tx.flush()
    bus.emit(tx, VolunteerErased(programme_id=volunteer.programme_id, volunteer_id=volunteer.id, erased_at=now))


def point_to(tx: Session, merged_id: UUID, *, kept_id: UUID, now: datetime) -> None:
    """Leave a record as a pointer to another one, with those that pointed to it; the caller holds both locks."""
    pointing = tx.scalars(_POINT, {"merged_id": merged_id, "kept_id": kept_id, "now": now}).all()
    values = {"merged_into": kept_id}
    note(tx, "volunteer", (Change(each, {"merged_into": None}, values) for each in pointing), merged=len(pointing))


def forget_suppressed(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget digests of people who were erased before then, at most `limit`; return how many."""
    return len(tx.execute(_FORGET_SUPPRESSED, {"before": before, "limit": limit}).all())


def _lift(tx: Session, *, programme_id: UUID, number: str) -> None:
    digests = [digest.value for digest in suppressor().digests(number, scope=str(programme_id))]
    rows = delete(SuppressedNumber).where(SuppressedNumber.programme_id == programme_id)
    lifted = tx.scalars(rows.where(among(SuppressedNumber.digest, digests)).returning(SuppressedNumber.key_id)).all()
    note(tx, "suppressed_number", (), removed=len(lifted))


def rename_all(tx: Session, *, programme_id: UUID, registrations: Sequence[Registration]) -> None:
    """Give registered people the names that are said of them, with one statement; the caller holds their locks."""
    if not registrations:
        return
    columns = {
        "programme_id": programme_id,
        "numbers": [registration.employee_number for registration in registrations],
        "names": [registration.display_name for registration in registrations],
    }
    renamed = tx.scalars(_RENAME, columns).all()
    names = {"display_name": HIDDEN}
    note(tx, "volunteer", (Change(volunteer_id, names, names) for volunteer_id in renamed), changed=len(renamed))
