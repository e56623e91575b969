"""HTTP door of files that are handed in."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, File, Form, UploadFile
from starlette.responses import Response

from services.activities.deliverables.queries import get_deliverable
from services.activities.deliverables.rules import MOST_PIECES, DeliverableClosed, NothingOwed, UnchangedSubmission
from services.activities.work_files import actions, queries, rules, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.downloads import download
from shared.web.fields import Text
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/deliverables/{deliverable_id}", tags=["work_files"])

Volunteer = Annotated[Caller, Depends(may("deliverables.submit"))]
Reader = Annotated[Caller, Depends(may("deliverables.read"))]
Files = Annotated[list[UploadFile], File(min_length=1, max_length=rules.MOST_FILES)]
Pieces = Annotated[int, Form(ge=1, le=MOST_PIECES, description="How many pieces these files are.")]
Note = Annotated[Text, Form(max_length=2_000, description="What the partner should know; without anybody's name.")]
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, to be saved.",
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in rules.MEDIA_TYPES},
    }
}


@router.post("/submissions", status_code=201, operation_id="submit_deliverable")
@refuses(
    NotFound, DeliverableClosed, NothingOwed, UnchangedSubmission, rules.EmptyFile, rules.WrongFileType,
    rules.WorkFileTooLarge, rules.WorkFilesTooLarge,
)  # fmt: skip
def submit_deliverable(
    deliverable_id: UUID, files: Files, pieces: Pieces, caller: Volunteer, tx: Tx, now: Now, note: Note = ""
) -> schemas.SubmissionWithFiles:
    """Hand in one's work: 1 to 10 files, 10 MiB each and 30 MiB together. The same again returns what was handed in."""
    sent = [actions.Sent(each.filename or "", each.file) for each in files]
    sending = actions.Sending(caller.programme_id, caller.person_id, deliverable_id, pieces, note, sent, now)
    submission = actions.submit(tx, sending)
    return schemas.with_files(submission, queries.list_files_in(tx, submission.id))


@router.get("/files", operation_id="list_work_files")
@refuses(NotFound)
def list_work_files(deliverable_id: UUID, caller: Reader, tx: Tx) -> schemas.WorkFiles:
    """List the files of the work of one place, those of earlier submissions as well."""
    row = get_deliverable(tx, caller.scope, deliverable_id)
    return schemas.files(queries.list_files(tx, row.id))


@router.get("/files/{file_id}", operation_id="download_work_file", responses=CONTENT, response_class=Response)
@refuses(NotFound)
def download_work_file(deliverable_id: UUID, file_id: UUID, caller: Reader, tx: Tx) -> Response:
    """Download one file, to be saved, as it was handed in."""
    row = queries.get_file(tx, caller.scope, deliverable_id, file_id)
    return download(row.content or b"", name=row.name, media_type=row.media_type, sha256=row.sha256 or b"")
