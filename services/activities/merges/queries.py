"""Reads and locks of merges, and of what two records of one person have on the same shifts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.activities.merges.tables import Merge
from services.activities.volunteers.tables import Volunteer
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

MERGES = KeysetList(
    key=(Merge.id,),
    sorts={"proposed_at": Sort(Merge.proposed_at)},
    filters={
        "kept_id": equal(Merge.kept_id, "Into this record."),
        "merged_id": equal(Merge.merged_id, "Of this record."),
        "proposed_from": since(Merge.proposed_at, "Proposed at this instant or later."),
        "proposed_until": until(Merge.proposed_at, "Proposed before this instant."),
    },
    default_sort="-id",
)


def merges_of(programme_id: UUID) -> Select[Merge]:
    """Say which merges a caller of a programme may see."""
    return select(Merge).where(Merge.programme_id == programme_id)


def get_merge(tx: Session, *, programme_id: UUID, merge_id: UUID) -> Merge:
    """Return a merge. Raises NotFound."""
    return _found(tx, merges_of(programme_id), merge_id)


def lock_merge(tx: Session, *, programme_id: UUID, merge_id: UUID) -> Merge:
    """Lock a merge; whoever decides on it locks the people behind it. Raises NotFound."""
    rows = merges_of(programme_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return _found(tx, rows, merge_id)


def find_standing(tx: Session, *, merged_id: UUID) -> Merge | None:
    """Return the proposal about a record that is open, or was approved."""
    rows = select(Merge).where(Merge.merged_id == merged_id, Merge.outcome.is_distinct_from("declined"))
    return tx.scalars(rows).first()


class FormerRecord(NamedTuple):
    """A record that was merged into another one of the same person."""

    id: UUID
    employee_number: str
    display_name: str
    registered_at: datetime
    merged_at: datetime
    reason: str
    maker_id: UUID
    decider_id: UUID


def list_former(tx: Session, *, volunteer_id: UUID) -> Sequence[FormerRecord]:
    """Return the records that were merged into a person's, oldest first."""
    columns = (
        Volunteer.id, Volunteer.employee_number, Volunteer.display_name, Volunteer.registered_at, Volunteer.merged_at,
        Merge.reason, Merge.maker_id, Merge.decider_id,
    )  # fmt: skip
    rows = select(*columns).join(Merge, Merge.merged_id == Volunteer.id)
    rows = rows.where(Volunteer.merged_into == volunteer_id, Merge.outcome == "approved").order_by(Merge.decided_at)
    return [FormerRecord._make(row) for row in tx.execute(rows)]


def _found(tx: Session, rows: Select[Merge], merge_id: UUID) -> Merge:
    merge = tx.scalars(rows.where(Merge.id == merge_id)).first()
    if merge is None:
        raise NotFound(merge_id=merge_id)
    return merge
