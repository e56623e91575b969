"""Looking at runs: the newest first, those of a programme and those that do not say whose they are."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from shared.bus.tables import TaskRun


def list_runs(
    tx: Session, *, programme_id: UUID, state: str | None, after: UUID | None, limit: int
) -> list[TaskRun]:  # fmt: skip
    """Return the newest runs, or those older than `after`; in one state or in any."""
    rows = select(TaskRun).where(_seen_by(programme_id)).order_by(TaskRun.id.desc()).limit(limit)
    if state is not None:
        rows = rows.where(TaskRun.state == state)
    if after is not None:
        rows = rows.where(TaskRun.id < after)
    return list(tx.scalars(rows))


def find_run(tx: Session, run_id: UUID, *, programme_id: UUID) -> TaskRun | None:
    """Return one run, None if there is none that this programme may see."""
    return tx.scalar(select(TaskRun).where(TaskRun.id == run_id, _seen_by(programme_id)))


def _seen_by(programme_id: UUID) -> ColumnElement[bool]:
    return or_(TaskRun.programme_id == programme_id, TaskRun.programme_id.is_(None))
