"""Reads and locks of policy versions."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from services.ledger.policies.rules import Terms
from services.ledger.policies.tables import PolicyVersion
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

_IN_FORCE = text("""
    SELECT id, programme_id, lower(effective) AS from_at, upper(effective) AS until_at,
           fen_per_hour, step_minutes, min_minutes, max_minutes
    FROM policy_version
    WHERE approver_id IS NOT NULL AND programme_id = ANY(CAST(:programmes AS uuid[]))
      AND effective && tstzrange(:first, :last, '[]')
    ORDER BY programme_id, from_at
""")


POLICY_VERSIONS = KeysetList(
    key=(PolicyVersion.id,),
    sorts={
        "proposed_at": Sort(PolicyVersion.proposed_at),
        "approved_at": Sort(PolicyVersion.approved_at, null_as="'infinity'::timestamptz"),  # Proposals come last.
    },
    filters={
        "maker_id": equal(PolicyVersion.maker_id, "Proposed by this person."),
        "approver_id": equal(PolicyVersion.approver_id, "Approved by this person."),
        "proposed_from": since(PolicyVersion.proposed_at, "Proposed at this instant or later."),
        "proposed_until": until(PolicyVersion.proposed_at, "Proposed before this instant."),
    },
)


def get_version(tx: Session, version_id: UUID, *, programme_id: UUID) -> PolicyVersion:
    """Return one policy version of a programme. Raises NotFound."""
    statement = select(PolicyVersion).where(PolicyVersion.id == version_id, PolicyVersion.programme_id == programme_id)
    version = tx.scalar(statement)
    if version is None:
        raise NotFound(policy_version_id=version_id)
    return version


def lock_version(tx: Session, version_id: UUID, *, programme_id: UUID) -> PolicyVersion:
    """Lock one policy version of a programme for its approval. Raises NotFound."""
    statement = select(PolicyVersion).where(PolicyVersion.id == version_id, PolicyVersion.programme_id == programme_id)
    version = tx.scalar(statement.with_for_update())
    if version is None:
        raise NotFound(policy_version_id=version_id)
    return version


def find_overlapping(tx: Session, version: PolicyVersion) -> UUID | None:
    """Return an approved version of the same programme that covers part of the same time."""
    return tx.scalar(
        select(PolicyVersion.id)
        .where(
            PolicyVersion.programme_id == version.programme_id,
            PolicyVersion.approver_id.is_not(None),
            PolicyVersion.effective.overlaps(version.effective),
        )
        .limit(1)
    )


def list_in_force(tx: Session, programmes: Collection[UUID], *, first: datetime, last: datetime) -> list[Terms]:
    """Return the terms that are in force at some instant from `first` to `last`, both included."""
    rows = tx.execute(_IN_FORCE, {"programmes": sorted(programmes), "first": first, "last": last})
    return [Terms(*row) for row in rows]


def get_terms(tx: Session, version_id: UUID) -> Terms:
    """Return the terms of one policy version. Raises NotFound."""
    version = tx.get(PolicyVersion, version_id)
    if version is None or version.effective.lower is None:
        raise NotFound(policy_version_id=version_id)
    return Terms(
        policy_version_id=version.id,
        programme_id=version.programme_id,
        from_at=version.effective.lower,
        until_at=version.effective.upper,
        fen_per_hour=version.fen_per_hour,
        step_minutes=version.step_minutes,
        min_minutes=version.min_minutes,
        max_minutes=version.max_minutes,
    )


def versions_of(programme_id: UUID) -> Select[PolicyVersion]:
    """Say which policy versions a caller of a programme may see: all of them, proposals too."""
    return select(PolicyVersion).where(PolicyVersion.programme_id == programme_id)
