"""HTTP door of imports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Form, UploadFile
from starlette.responses import Response

from services.activities.imports import actions, queries, rules, schemas, tables
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read
from shared.web.routes import Router

router = Router(prefix="/imports", tags=["imports"])

Importer = Annotated[Caller, Depends(may("attendance.import"))]
MEDIA_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
SHEETS: dict[int | str, dict[str, Any]] = {200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}}


@router.post("/{kind}", status_code=201, operation_id="stage_import", response_model=schemas.Import)
def stage_import(
    kind: rules.Kind,
    file: UploadFile,
    caller: Importer,
    tx: Tx,
    now: Now,
    timezone: Annotated[str, Form(max_length=60)] = "Asia/Shanghai",
) -> tables.Import:
    """Send in a sheet (XLSX or CSV, 50,000 rows, 20 MB); it is read and judged, and takes effect when committed."""
    upload = actions.Upload(caller.programme_id, caller.person_id, kind, timezone, file.filename or "", file.file)
    return actions.stage(tx, upload, now=now)


@router.get("/{import_id}", operation_id="get_import", response_model=schemas.Import)
def get_import(import_id: UUID, caller: Importer, tx: Tx) -> tables.Import:
    """Show how an import stands."""
    return queries.get_import(tx, programme_id=caller.programme_id, import_id=import_id)


@router.get("/{import_id}/rejects", operation_id="download_rejects", responses=SHEETS, response_class=Response)
def download_rejects(import_id: UUID, caller: Importer, tx: Tx) -> Response:
    """Download the rejected rows with what is wrong; mended, the file can be sent in as it is."""
    staged = queries.get_import(tx, programme_id=caller.programme_id, import_id=import_id)
    if staged.reject_file is None:
        raise NotFound(import_id=import_id, rejected=0)
    ending = staged.file_name.rpartition(".")[2].lower()
    disposition = {"content-disposition": f'attachment; filename="rejected-{import_id}.{ending}"'}
    return Response(staged.reject_file, headers=disposition, media_type=MEDIA_TYPES[ending])


@router.post("/{import_id}/commit", operation_id="commit_import", response_model=schemas.Import)
def commit_import(
    import_id: UUID, body: schemas.Commit, caller: Importer, tx: Tx, now: Now, seen: Read
) -> tables.Import:
    """Bring in the good rows of a staged sheet, all of them in one transaction; again changes nothing."""
    decision = actions.Decision(caller.programme_id, import_id, seen, body.skip_rejected, caller.person_id, now)
    return actions.commit(tx, decision)
