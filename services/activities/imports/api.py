"""HTTP door of imports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, UploadFile
from starlette.responses import Response

from services.activities.imports import actions, queries, rules, schemas, tables
from services.activities.listings.rules import UnknownTimezone
from shared.auth.callers import Caller
from shared.documents.refusals import UNUSABLE
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import Text
from shared.web.refusals import refuses

router = APIRouter(prefix="/imports", tags=["imports"])

Importer = Annotated[Caller, Depends(may("attendance.import"))]
MEDIA_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
SHEETS: dict[int | str, dict[str, Any]] = {200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}}


@router.post("/{kind}", status_code=201, operation_id="stage_import", response_model=schemas.Import)
@refuses(UnknownTimezone, *UNUSABLE)
def stage_import(
    kind: rules.Kind,
    file: UploadFile,
    caller: Importer,
    tx: Tx,
    now: Now,
    timezone: Annotated[Text, Form(max_length=60)] = "Asia/Shanghai",
) -> tables.Import:
    """Send in a sheet (XLSX or CSV, 50,000 rows, 20 MB); it is read and judged, and takes effect when committed."""
    upload = actions.Upload(caller.programme_id, caller.person_id, kind, timezone, file.filename or "", file.file)
    return actions.stage(tx, upload, now=now)


@router.get("/{import_id}", operation_id="get_import", response_model=schemas.Import)
@refuses(NotFound)
def get_import(import_id: UUID, caller: Importer, tx: Tx) -> tables.Import:
    """Show how an import stands."""
    return queries.get_import(tx, programme_id=caller.programme_id, import_id=import_id)


@router.get("/{import_id}/rejects", operation_id="download_rejects", responses=SHEETS, response_class=Response)
@refuses(NotFound)
def download_rejects(import_id: UUID, caller: Importer, tx: Tx) -> Response:
    """Download the rejected rows with what is wrong; mended, the file can be sent in as it is."""
    staged = queries.get_import(tx, programme_id=caller.programme_id, import_id=import_id)
    if staged.reject_file is None:
        raise NotFound(import_id=import_id, rejected=0)
    ending = staged.file_name.rpartition(".")[2].lower()
    disposition = {"content-disposition": f'attachment; filename="rejected-{import_id}.{ending}"'}
    return Response(staged.reject_file, headers=disposition, media_type=MEDIA_TYPES[ending])


@router.post("/{import_id}/commit", operation_id="commit_import", response_model=schemas.Import)
@refuses(NotFound, rules.ImportHasRejects, rules.ImportOutdated)
def commit_import(import_id: UUID, body: schemas.Commit, caller: Importer, tx: Tx, now: Now) -> tables.Import:
    """Bring in the good rows of a staged sheet, all of them in one transaction; again changes nothing."""
    return actions.commit(
        tx,
        programme_id=caller.programme_id,
        import_id=import_id,
        skip_rejected=body.skip_rejected,
        decided_by=caller.person_id,
        now=now,
    )
