"""Looking at runs: those of a programme and those that do not say whose they are."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, defer

from shared.bus.tables import TaskRun


def runs_of(programme_id: UUID) -> Select[TaskRun]:
    """Say which runs a programme's operators see. What may be large is left where it is."""
    return select(TaskRun).where(_seen_by(programme_id)).options(defer(TaskRun.arguments), defer(TaskRun.stack))


def find_run(tx: Session, run_id: UUID, *, programme_id: UUID) -> TaskRun | None:
    """Return one run, None if there is none that this programme may see."""
    return tx.scalar(select(TaskRun).where(TaskRun.id == run_id, _seen_by(programme_id)))


def _seen_by(programme_id: UUID) -> ColumnElement[bool]:
    return or_(TaskRun.programme_id == programme_id, TaskRun.programme_id.is_(None))
