"""Reads and locks of imports. A caller sees the kinds that they may import, in their programme."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, select
from sqlalchemy.orm import Session, defer, undefer

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
    """An import, the run that commits it, as long as that is remembered, and the state that callers see."""

    row: Import
    run: TaskRun | None
    state: str


# A run that has failed for good is a failed import, until it is tried again.
STATE = case((and_(Import.state == "committing", TaskRun.state == "failed"), "failed"), else_=Import.state)

_STANDING = (
    select(Import, TaskRun, STATE.label("state"))
    .outerjoin(TaskRun, TaskRun.id == Import.run_id)
    .options(defer(TaskRun.arguments), defer(TaskRun.stack))
)


def standings_of(scope: Scope) -> Select[Import, TaskRun, str, UUID, datetime]:
    """Say which imports a caller sees, with what `Standing` takes, and what they are sorted by."""
    return _STANDING.add_columns(Import.id, Import.staged_at).where(*scope.limits)


def get_standing(tx: Session, scope: Scope, import_id: UUID) -> Standing:
    """Return how an import stands, with its preview. Raises NotFound."""
    rows = _STANDING.where(*scope.limits, Import.id == import_id).options(
        undefer(Import.errors), undefer(Import.samples)
    )
    found = tx.execute(rows.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(import_id=import_id)
    return Standing(*found)


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
