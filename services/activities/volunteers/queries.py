"""Reads and locks of volunteers."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.errors import NotFound


def list_volunteers(
    tx: Session, *, programme_id: UUID, employee_number: str | None, after: UUID | None, limit: int
) -> list[Volunteer]:
    """Return a programme's volunteers in order of id, after `after`."""
    rows = select(Volunteer).where(Volunteer.programme_id == programme_id).order_by(Volunteer.id).limit(limit)
    if employee_number is not None:
        rows = rows.where(Volunteer.employee_number == employee_number)
    if after is not None:
        rows = rows.where(Volunteer.id > after)
    return list(tx.scalars(rows))


def find_by_number(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> dict[str, Volunteer]:
    """Return those of the employee numbers that are registered, by number."""
    rows = select(Volunteer).where(Volunteer.programme_id == programme_id, among(Volunteer.employee_number, numbers))
    return {volunteer.employee_number: volunteer for volunteer in tx.scalars(rows)}


class Known(NamedTuple):
    """Who is registered under an employee number."""

    id: UUID
    display_name: str


def known_people(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> dict[str, Known]:
    """Return who has these employee numbers; for hundreds of thousands, so without the rest of their records."""
    rows = select(Volunteer.employee_number, Volunteer.id, Volunteer.display_name).where(
        Volunteer.programme_id == programme_id, among(Volunteer.employee_number, numbers)
    )
    return {number: Known(volunteer_id, name) for number, volunteer_id, name in tx.execute(rows)}


def lock_volunteers(tx: Session, volunteer_ids: Collection[UUID]) -> None:
    """Lock people in order of id, so that two settlements of one person follow each other and never deadlock."""
    rows = (
        select(Volunteer.id)
        .where(among(Volunteer.id, volunteer_ids))
        .order_by(Volunteer.id)
        .with_for_update(key_share=True)
    )
    tx.execute(rows)


def get_volunteer(tx: Session, *, programme_id: UUID, volunteer_id: UUID) -> Volunteer:
    """Return a volunteer. Raises NotFound, also for one of another programme."""
    volunteer = tx.get(Volunteer, volunteer_id)
    if volunteer is None or volunteer.programme_id != programme_id:
        raise NotFound(volunteer_id=volunteer_id)
    return volunteer
