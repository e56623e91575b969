"""Everything that is known of one person, gathered from the aggregates that know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.queries import list_attendance_of, list_versions_of
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.check_ins.queries import list_attempts_of, list_scans_of
from services.activities.check_ins.tables import CodeAttempt, Scan
from services.activities.consents.queries import list_consents
from services.activities.consents.tables import Consent
from services.activities.personal_data.rules import MOST_ROWS, Kind
from services.activities.personal_data.tables import Access
from services.activities.sign_ups.queries import list_places_of
from services.activities.volunteers.tables import Volunteer


@dataclass(frozen=True, slots=True)
class Everything:
    """All that activities knows of a person."""

    person: Volunteer
    consents: Sequence[Consent]
    sign_ups: Sequence[Any]
    attendances: Sequence[Attendance]
    versions: Sequence[AttendanceVersion]
    scans: Sequence[Scan]
    wrong_codes: Sequence[CodeAttempt]
    accesses: Sequence[Access]


def gather(tx: Session, person: Volunteer) -> Everything:
    """Return all that is known of a person, at most MOST_ROWS of a kind."""
    attendances = list_attendance_of(tx, volunteer_id=person.id, limit=MOST_ROWS)
    return Everything(
        person=person,
        consents=list_consents(tx, volunteer_id=person.id),
        sign_ups=list_places_of(tx, volunteer_id=person.id, limit=MOST_ROWS),
        attendances=attendances,
        versions=list_versions_of(tx, [attendance.id for attendance in attendances]),
        scans=list_scans_of(tx, volunteer_id=person.id, limit=MOST_ROWS),
        wrong_codes=list_attempts_of(tx, volunteer_id=person.id, limit=MOST_ROWS),
        accesses=list_accesses(tx, volunteer_id=person.id, limit=MOST_ROWS),
    )


def list_accesses(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Access]:
    """Return what was done with a person's data as a whole, oldest first."""
    rows = select(Access).where(Access.volunteer_id == volunteer_id).order_by(Access.id).limit(limit)
    return list(tx.scalars(rows))


def has_taken_out_own(tx: Session, *, volunteer_id: UUID, since: datetime) -> bool:
    """Say whether a person has taken out their own data after `since`."""
    rows = select(Access.id).where(Access.volunteer_id == volunteer_id, Access.kind == Kind.EXPORT)
    return tx.scalar(rows.where(Access.reason.is_(None), Access.accessed_at > since).limit(1)) is not None


def get_erasure(tx: Session, *, volunteer_id: UUID) -> Access:
    """Return the record of a person's erasure."""
    rows = select(Access).where(Access.volunteer_id == volunteer_id, Access.kind == Kind.ERASURE)
    return tx.scalars(rows).one()
