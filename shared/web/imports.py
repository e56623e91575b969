"""The HTTP door of a service's imports: a template, an upload, its preview, the order to bring it in, what came of it.

Each kind has its own permission to send sheets in. Who may send in any may follow those of their kinds.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Form, Request, UploadFile
from starlette.responses import Response

from shared.auth.callers import Caller
from shared.documents.exports import MEDIA_TYPES
from shared.documents.refusals import (
    BrokenQuotes,
    CellTooLong,
    EmptySheet,
    FileTooLarge,
    NotASheet,
    TooManyColumns,
    TooManyRows,
    UnpacksTooLarge,
    WrongHeaders,
)
from shared.errors import NotFound
from shared.imports import committing, queries
from shared.imports.desk import Imports
from shared.imports.kinds import ImportKind
from shared.imports.refusals import ImportExpired, ImportFailed, ImportHasRejects, ImportsBusy
from shared.imports.staging import Upload, stage
from shared.web.doors import Now, Tx, may
from shared.web.import_lists import IMPORTS, summaries
from shared.web.import_shapes import Commit, Import
from shared.web.lists import Answer, Asked
from shared.web.problems import language_of
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.zones import UnknownTimezone

SHEETS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A sheet.", "content": {media_type: {} for media_type in MEDIA_TYPES.values()}}
}
SHEET_REFUSALS = (
    BrokenQuotes, CellTooLong, EmptySheet, FileTooLarge, NotASheet, TooManyColumns, TooManyRows, UnpacksTooLarge,
    WrongHeaders,
)  # fmt: skip
Follower = Annotated[Caller, Depends(may("imports.follow"))]


def router_of(imports: Imports) -> Router:
    """Make the routes of a service's imports."""
    router = Router(prefix="/imports", tags=["imports"])
    for kind in imports.kinds.values():
        _add_template(router, kind)
        _add_upload(router, imports, kind)
    _add_reads(router, imports)
    _add_commit(router, imports)
    return router


def _add_template(router: Router, kind: ImportKind[Any, Any]) -> None:
    operation_id = f"download_{kind.name}_template"
    importer = Annotated[Caller, Depends(may(kind.permission))]

    @router.get(
        f"/{kind.name}/template",
        operation_id=operation_id,
        name=operation_id,
        responses=SHEETS,
        response_class=Response,
    )
    def download_template(
        request: Request,
        _caller: importer,
        format: Literal["xlsx", "csv"] = "xlsx",  # noqa: A002  The name in the address.
        language: Literal["zh", "en"] | None = None,
    ) -> Response:
        """Download an empty sheet to fill in, with notes and examples, in the asked or else the caller's language."""
        chosen = language or ("en" if language_of(request) == "en" else "zh")
        content = kind.template.write(format, chosen)
        return _file(content, format, f"{kind.name}-{chosen}.{format}")


def _add_upload(router: Router, imports: Imports, kind: ImportKind[Any, Any]) -> None:
    operation_id = f"stage_{kind.name}_import"
    importer = Annotated[Caller, Depends(may(kind.permission))]

    @router.post(f"/{kind.name}", status_code=201, operation_id=operation_id, name=operation_id)
    @refuses(UnknownTimezone, ImportsBusy, *SHEET_REFUSALS)
    def stage_import(
        file: UploadFile,
        caller: importer,
        tx: Tx,
        now: Now,
        timezone: Annotated[str, Form(max_length=60)] = "Asia/Shanghai",
    ) -> Import:
        """Send in a sheet (XLSX or CSV, 200,000 rows, 50 MB) to be read and judged; a commit brings it in."""
        upload = Upload(caller.programme_id, caller.person_id, timezone, file.filename or "", file.file, file.size or 0)
        staged = stage(tx, kind, upload, now=now)
        return _standing(tx, imports, caller, staged.id)


def _add_reads(router: Router, imports: Imports) -> None:
    @router.get("", operation_id="list_imports", response_model=IMPORTS.page, responses=IMPORTS.responses)
    def list_imports(caller: Follower, asked: Annotated[Asked, Depends(IMPORTS.asked)], tx: Tx) -> Answer:
        """List the programme's imports of the kinds that the caller may import, newest first."""
        rows = queries.standings_of(imports.scope(caller.programme_id, caller.roles))
        return IMPORTS.answer(asked, tx, caller, rows, show=summaries)

    @router.get("/{import_id:uuid}", operation_id="get_import")
    @refuses(NotFound)
    def get_import(import_id: UUID, caller: Follower, tx: Tx) -> Import:
        """Show how an import stands: its preview, its progress, its result."""
        return _standing(tx, imports, caller, import_id)

    @router.get("/{import_id:uuid}/rejects", operation_id="download_rejects", responses=SHEETS, response_class=Response)
    @refuses(NotFound)
    def download_rejects(import_id: UUID, caller: Follower, tx: Tx) -> Response:
        """Download the rejected rows with what is wrong; mended, the file can be sent in as it is."""
        kind, content = queries.get_rejects(tx, imports.scope(caller.programme_id, caller.roles), import_id)
        return _file(content, kind, f"rejected-{import_id}.{kind}")


def _add_commit(router: Router, imports: Imports) -> None:
    @router.post("/{import_id:uuid}/commit", status_code=202, operation_id="commit_import")
    @refuses(NotFound, ImportHasRejects, ImportFailed, ImportExpired)
    def commit_import(import_id: UUID, body: Commit, caller: Follower, tx: Tx) -> Import:
        """Have the good rows of a staged sheet brought in, all or none, by a worker; again changes nothing."""
        scope = imports.scope(caller.programme_id, caller.roles)
        committing.order(
            tx, imports.task, scope, import_id, skip_rejected=body.skip_rejected, by=caller.person_id
        )  # fmt: skip
        return _standing(tx, imports, caller, import_id)


def _standing(tx: Tx, imports: Imports, caller: Caller, import_id: UUID) -> Import:
    return Import.of(queries.get_standing(tx, imports.scope(caller.programme_id, caller.roles), import_id))


def _file(content: bytes, kind: str, name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=disposition, media_type=MEDIA_TYPES[kind])
