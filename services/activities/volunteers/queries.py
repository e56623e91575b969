"""Reads and locks of volunteers."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, since, until
from shared.errors import NotFound

VOLUNTEERS = KeysetList(  # Neither name nor number sorts or filters: both would stand in addresses.
    key=(Volunteer.id,),
    sorts={"registered_at": Sort(Volunteer.registered_at)},
    filters={
        "registered_from": since(Volunteer.registered_at, "Registered at this instant or later."),
        "registered_until": until(Volunteer.registered_at, "Registered before this instant."),
    },
)


def volunteers_of(programme_id: UUID) -> Select[Volunteer]:
    """Say which volunteers a caller of a programme may see."""
    return select(Volunteer).where(Volunteer.programme_id == programme_id)


def find_by_number(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> dict[str, Volunteer]:
    """Return those of the employee numbers that are registered, by number."""
    rows = select(Volunteer).where(Volunteer.programme_id == programme_id, among(Volunteer.employee_number, numbers))
    return {volunteer.employee_number: volunteer for volunteer in tx.scalars(rows)}


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
