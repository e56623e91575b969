"""Reads and locks of imports. A caller sees the kinds that they may import, in their programme."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, undefer

from shared.bus.tables import TaskRun
from shared.database.arrays import among
from shared.errors import NotFound
from shared.imports.tables import Import


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller sees: imports of one programme, of these kinds."""

    programme_id: UUID
    kinds: Collection[str]

    @property
    def limits(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of each row in it."""
        return Import.programme_id == self.programme_id, among(Import.kind, self.kinds)


@dataclass(frozen=True, slots=True)
class Standing:
    """An import, and the run that commits it, as long as that is remembered."""

    row: Import
    run: TaskRun | None


_STANDING = select(Import, TaskRun).outerjoin(TaskRun, TaskRun.id == Import.run_id)


def get_standing(tx: Session, scope: Scope, import_id: UUID) -> Standing:
    """Return how an import stands, with its preview. Raises NotFound."""
    rows = _STANDING.where(*scope.limits, Import.id == import_id).options(
        undefer(Import.errors), undefer(Import.samples)
    )
    found = tx.execute(rows.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(import_id=import_id)
    return Standing(*found)


def list_standings(
    tx: Session, scope: Scope, *, kind: str | None, after: UUID | None, limit: int
) -> Sequence[Standing]:
    """Return the newest imports, or those older than `after`; of one kind or of any."""
    rows = _STANDING.where(*scope.limits).order_by(Import.id.desc()).limit(limit)
    if kind is not None:
        rows = rows.where(Import.kind == kind)
    if after is not None:
        rows = rows.where(Import.id < after)
    return [Standing(*found) for found in tx.execute(rows)]


def get_rejects(tx: Session, scope: Scope, import_id: UUID) -> tuple[str, bytes]:
    """Return the kind of the reject file, csv or xlsx, and its content. Raises NotFound, also if there is none."""
    rows = select(Import.file_kind, Import.reject_file).where(*scope.limits, Import.id == import_id)
    found = tx.execute(rows).first()
    if found is None or found.reject_file is None:
        raise NotFound(import_id=import_id)
    return found.file_kind, found.reject_file


def find_programme(tx: Session, import_id: UUID) -> UUID | None:
    """Say whose an import is; an import is never another programme's."""
    return tx.scalar(select(Import.programme_id).where(Import.id == import_id))


def lock_import(tx: Session, scope: Scope, import_id: UUID) -> Import:
    """Lock an import. Raises NotFound."""
    rows = select(Import).where(*scope.limits, Import.id == import_id).with_for_update()
    found = tx.scalars(rows.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(import_id=import_id)
    return found


def lock_committing(tx: Session, import_id: UUID) -> Import | None:
    """Lock an import that is to be brought in; None if it is not, any more."""
    rows = select(Import).where(Import.id == import_id, Import.state == "committing").with_for_update()
    return tx.scalars(rows).first()
