"""Reads of files that were handed in, with whose they are in their SQL."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from services.activities.deliverables.queries import deliverables_of
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.work_files.tables import WorkFile
from shared.auth.scopes import Scope
from shared.errors import NotFound


def list_files(tx: Session, deliverable_id: UUID) -> Sequence[tuple[WorkFile, int]]:
    """Return the files that were handed in for the work of a place, each with its submission's number, in order."""
    rows = select(WorkFile, Submission.number).join(Submission, Submission.id == WorkFile.submission_id)
    rows = rows.where(Submission.deliverable_id == deliverable_id).order_by(Submission.number, WorkFile.number)
    return [(row, number) for row, number in tx.execute(rows)]


def list_files_in(tx: Session, submission_id: UUID) -> Sequence[WorkFile]:
    """Return the files of one submission, in order."""
    rows = select(WorkFile).where(WorkFile.submission_id == submission_id)
    return tx.scalars(rows.order_by(WorkFile.number)).all()


def get_file(tx: Session, scope: Scope, deliverable_id: UUID, file_id: UUID) -> WorkFile:
    """Return a file with its content. Raises NotFound, also for one that the caller may not see, or that is gone."""
    visible = deliverables_of(scope).where(Deliverable.id == deliverable_id).with_only_columns(Deliverable.id)
    rows = select(WorkFile).join(Submission, Submission.id == WorkFile.submission_id)
    rows = rows.where(WorkFile.id == file_id, Submission.deliverable_id.in_(visible), WorkFile.sha256.is_not(None))
    file = tx.scalars(rows.options(undefer(WorkFile.content))).first()
    if file is None:
        raise NotFound(file_id=file_id)
    return file


def list_files_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[WorkFile]:
    """Return the files that a person has handed in, without their content, oldest first."""
    rows = select(WorkFile).join(Submission, Submission.id == WorkFile.submission_id)
    return tx.scalars(rows.where(Submission.volunteer_id == volunteer_id).order_by(WorkFile.id).limit(limit)).all()
