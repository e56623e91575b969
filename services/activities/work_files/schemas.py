"""What HTTP callers see of files that were handed in."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.activities.deliverables import schemas, tables
from services.activities.work_files.tables import WorkFile as Row
from shared.web.fields import Count, Items, Parts, Shown


class WorkFile(BaseModel):
    """A file that was handed in; name and hash are empty once the person was erased."""

    id: UUID
    submission: Count = Field(description="The number of the submission that it came with.")
    number: Count
    name: Shown
    media_type: Shown
    size: Count = Field(description="In bytes.")
    sha256: Shown | None = Field(description="Of the content, in hexadecimal digits.")


class WorkFiles(BaseModel):
    """All files that were handed in for the work of one place, in order."""

    items: Parts[WorkFile]


class SubmissionWithFiles(schemas.Submission):
    """What was handed in, with its files."""

    deliverable_id: UUID
    files: Items[WorkFile]


def file(row: Row, submission: int) -> WorkFile:
    """Show one file of a submission."""
    return WorkFile(
        id=row.id, submission=submission, number=row.number, name=row.name, media_type=row.media_type, size=row.size,
        sha256=row.sha256.hex() if row.sha256 else None,
    )  # fmt: skip


def files(rows: Iterable[tuple[Row, int]]) -> WorkFiles:
    """Show the files of several submissions."""
    return WorkFiles(items=[file(row, submission) for row, submission in rows])


def with_files(submission: tables.Submission, rows: Sequence[Row]) -> SubmissionWithFiles:
    """Show what was handed in with its files."""
    shown = schemas.Submission.model_validate(submission).model_dump()
    kept = [file(row, submission.number) for row in rows]
    return SubmissionWithFiles(**shown, deliverable_id=submission.deliverable_id, files=kept)


class OwnFile(BaseModel):
    """A file that the person has handed in; its content is downloaded by its id."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="文件编号 / The file's id")
    submission_id: UUID = Field(description="提交编号 / The submission's id")
    name: Shown = Field(description="文件名 / Its name")
    media_type: Shown = Field(description="类型 / Its type")
    size: Count = Field(description="大小（字节） / Its size, in bytes")
