"""Reads and locks of volunteers."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from services.activities.volunteers.rules import require_not_merged
from services.activities.volunteers.tables import SuppressedNumber, Volunteer
from shared.database.arrays import among, among_given
from shared.database.keyset import KeysetList, Sort, since, until
from shared.database.packed import uuids
from shared.errors import NotFound
from shared.privacy import locks
from shared.privacy.suppression import suppressor

VOLUNTEERS = KeysetList(  # Neither name nor number sorts or filters: both would stand in addresses.
    key=(Volunteer.id,),
    sorts={"registered_at": Sort(Volunteer.registered_at)},
    filters={
        "registered_from": since(Volunteer.registered_at, "Registered at this instant or later."),
        "registered_until": until(Volunteer.registered_at, "Registered before this instant."),
    },
)
_IN_ORDER = select(Volunteer.id).where(among_given(Volunteer.id, "people")).order_by(Volunteer.id)
_LOCK = _IN_ORDER.with_for_update(key_share=True)
_LOCK_FREE = _IN_ORDER.with_for_update(key_share=True, skip_locked=True)


def volunteers_of(programme_id: UUID) -> Select[Volunteer]:
    """Say which volunteers a caller of a programme may see."""
    return select(Volunteer).where(Volunteer.programme_id == programme_id)


def find_by_number(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> dict[str, Volunteer]:
    """Return those of the employee numbers that are registered, by number."""
    rows = select(Volunteer).where(Volunteer.programme_id == programme_id, among(Volunteer.employee_number, numbers))
    return {volunteer.employee_number: volunteer for volunteer in tx.scalars(rows)}


def find_names(tx: Session, *, programme_id: UUID, volunteer_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the display names of those of the ids that are the programme's volunteers."""
    rows = select(Volunteer.id, Volunteer.display_name).where(
        Volunteer.programme_id == programme_id, among(Volunteer.id, volunteer_ids)
    )
    return {row.id: row.display_name for row in tx.execute(rows)}


def find_suppressed(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> set[str]:
    """Return those of the employee numbers whose people were erased; an unknown number costs a hash for each key."""
    suppressed = select(SuppressedNumber.digest).where(SuppressedNumber.programme_id == programme_id)
    if tx.scalars(suppressed.limit(1)).first() is None:
        return set()
    keys, scope = suppressor(), str(programme_id)
    by_digest = {digest.value: number for number in numbers for digest in keys.digests(number, scope=scope)}
    found = tx.scalars(suppressed.where(among(SuppressedNumber.digest, by_digest)))
    return {by_digest[digest] for digest in found}


def lock_for_erasure(tx: Session, *, programme_id: UUID, volunteer_id: UUID) -> Volunteer:
    """Wait for lists that are being taken in, then lock a person, also one already erased. Raises NotFound.

    So for a record that was merged into another: it goes with that, and is locked with it.
    """
    locks.lock_for_erasure(tx, programme_id=programme_id)
    rows = select(Volunteer).where(or_(Volunteer.id == volunteer_id, Volunteer.merged_into == volunteer_id))
    rows = rows.where(Volunteer.programme_id == programme_id).order_by(Volunteer.id).with_for_update()
    records = {each.id: each for each in tx.scalars(rows.execution_options(populate_existing=True))}
    volunteer = records.get(volunteer_id)
    if volunteer is None:
        raise NotFound(volunteer_id=volunteer_id)
    if volunteer.merged_into is not None:
        raise NotFound(volunteer_id=volunteer_id, merged_into=volunteer.merged_into)
    return volunteer


def lock_volunteer(tx: Session, *, programme_id: UUID, volunteer_id: UUID) -> Volunteer:
    """Lock one person, who is there and not erased; taken before any shift's lock. Raises NotFound."""
    rows = select(Volunteer).where(Volunteer.id == volunteer_id, Volunteer.programme_id == programme_id)
    rows = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    return require_present(tx.scalars(rows).first(), volunteer_id)


class Known(NamedTuple):
    """Who is registered under an employee number."""

    id: UUID
    display_name: str


def known_people(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> dict[str, Known]:
    """Return who has these employee numbers; for hundreds of thousands, so without the rest of their records.

    Without records that were merged into others: nothing is done by their numbers any more (`find_merged`).
    """
    rows = select(Volunteer.employee_number, Volunteer.id, Volunteer.display_name).where(
        Volunteer.programme_id == programme_id,
        among(Volunteer.employee_number, numbers),
        Volunteer.merged_into.is_(None),
    )
    return {number: Known(volunteer_id, name) for number, volunteer_id, name in tx.execute(rows)}


def find_merged(tx: Session, *, programme_id: UUID, numbers: Collection[str]) -> set[str]:
    """Return those of the employee numbers whose records were merged into others."""
    rows = select(Volunteer.employee_number).where(
        Volunteer.programme_id == programme_id,
        among(Volunteer.employee_number, numbers),
        Volunteer.merged_into.is_not(None),
    )
    return set(tx.scalars(rows))


def lock_both(tx: Session, *, programme_id: UUID, volunteer_ids: tuple[UUID, UUID]) -> None:
    """Lock two records, in order of id, that are there and neither erased nor merged. Raises NotFound."""
    lock_volunteers(tx, volunteer_ids)
    for volunteer_id in volunteer_ids:
        rows = select(Volunteer).where(Volunteer.id == volunteer_id, Volunteer.programme_id == programme_id)
        require_present(tx.scalars(rows.execution_options(populate_existing=True)).first(), volunteer_id)


def lock_unmerged(tx: Session, volunteer_id: UUID) -> None:
    """Lock a person, also one already erased. Raises RecordMerged for a record that was merged into another."""
    lock_volunteers(tx, [volunteer_id])
    require_not_merged(tx.scalars(select(Volunteer.merged_into).where(Volunteer.id == volunteer_id)).one())


def list_merged(tx: Session, *, volunteer_id: UUID) -> list[Volunteer]:
    """Return the records that were merged into a person's, whose lock the caller holds."""
    rows = select(Volunteer).where(Volunteer.merged_into == volunteer_id).order_by(Volunteer.id)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def lock_volunteers(tx: Session, volunteer_ids: Collection[UUID]) -> None:
    """Lock people in order of id, so that two settlements of one person follow each other and never deadlock.

    Those who were erased as well: what they did is still corrected, by id.
    """
    tx.execute(_LOCK, {"people": uuids(volunteer_ids)})


class OfPerson(Protocol):
    """What one person asks for."""

    @property
    def volunteer_id(self) -> UUID:
        """Who asks."""


def hold_people(tx: Session, commands: Sequence[OfPerson], *, wait: bool) -> list[bool]:
    """Lock the people, or those whom nobody else holds if there is no time to wait, and say whose they are."""
    people = [command.volunteer_id for command in commands]
    if wait:
        lock_volunteers(tx, people)
        return [True] * len(people)
    free = set(tx.scalars(_LOCK_FREE, {"people": uuids(people)}))
    return [person in free for person in people]


def get_volunteer(tx: Session, *, programme_id: UUID, volunteer_id: UUID) -> Volunteer:
    """Return a volunteer. Raises NotFound, also for one of another programme and for one who was erased."""
    rows = select(Volunteer).where(Volunteer.id == volunteer_id, Volunteer.programme_id == programme_id)
    return require_present(tx.scalars(rows).first(), volunteer_id)


def require_present(volunteer: Volunteer | None, volunteer_id: UUID) -> Volunteer:
    """Refuse who is not there, was erased, or was merged into another record. Raises NotFound."""
    if volunteer is None or volunteer.erased_at is not None:
        raise NotFound(volunteer_id=volunteer_id)
    if volunteer.merged_into is not None:
        raise NotFound(volunteer_id=volunteer_id, merged_into=volunteer.merged_into)
    return volunteer
