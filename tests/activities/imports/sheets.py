"""Sheets as operators send them."""

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.imports import actions
from services.activities.imports.rules import Kind
from services.activities.imports.tables import Import
from shared.seen import ANYTHING
from tests.factories.activities import PROGRAMME, REVIEWER, at
from tests.shared.documents.files import make_xlsx, with_parts

CHINESE = {
    Kind.VOLUNTEERS: ("员工编号", "显示名"),
    Kind.SHIFTS: ("伙伴编号", "活动编号", "活动名称", "场次", "开始时间", "结束时间", "名额"),
    Kind.ATTENDANCE: ("活动编号", "场次", "员工编号", "签到时间", "签退时间", "证据"),
}
ENGLISH = {
    Kind.VOLUNTEERS: ("employee_number", "display_name"),
    Kind.SHIFTS: (
        "partner_reference", "listing_reference", "title", "shift_number", "starts_at", "ends_at", "capacity",
    ),
    Kind.ATTENDANCE: (
        "listing_reference", "shift_number", "employee_number", "checked_in_at", "checked_out_at", "evidence",
    ),
}  # fmt: skip
NOW = at(20)


def sheet(kind: Kind, *rows: Sequence[object], ending: str = "csv", english: bool = False) -> bytes:
    """Make a sheet with the template's headings."""
    return table((ENGLISH if english else CHINESE)[kind], *rows, ending=ending)


def table(*rows: Sequence[object], ending: str = "csv") -> bytes:
    """Make a file of rows."""
    if ending == "xlsx":
        return make_xlsx(*rows)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def stage(tx: Session, kind: Kind, content: bytes, **overrides: Any) -> Import:
    """Send in a sheet; `programme_id`, `timezone`, `file_name` and `now` may be said."""
    now = overrides.pop("now", NOW)
    values: dict[str, Any] = {"programme_id": PROGRAMME, "timezone": "Asia/Shanghai", "file_name": "a.csv"}
    upload = actions.Upload(sent_by=REVIEWER, kind=kind, content=io.BytesIO(content), **values | overrides)
    return actions.stage(tx, upload, now=now)


def commit(tx: Session, staged: Import, *, skip_rejected: bool = False) -> Import:
    """Bring it in."""
    return commit_by_id(tx, staged.id, programme_id=staged.programme_id, skip_rejected=skip_rejected)


def commit_by_id(
    tx: Session, import_id: UUID, *, programme_id: UUID = PROGRAMME, skip_rejected: bool = False
) -> Import:
    """Bring in what was staged by somebody else."""
    seen = ANYTHING
    return actions.commit(tx, actions.Decision(programme_id, import_id, seen, skip_rejected, REVIEWER, NOW))


def bring(tx: Session, kind: Kind, *rows: Sequence[object]) -> tuple[int | None, int | None]:
    """Stage and commit good rows; return how many were added and how many unchanged."""
    staged = stage(tx, kind, sheet(kind, *rows))
    assert (staged.rejected, staged.errors) == (0, [])
    done = commit(tx, staged)
    tx.flush()
    return done.added, done.unchanged


def codes(staged: Import) -> list[tuple[str, str]]:
    """List each error as (cell, code)."""
    return [(error["cell"], error["code"]) for error in staged.errors]


def mend(content: bytes, wrong: str, right: str) -> bytes:
    """Replace a text in a reject file, as a person does in Excel."""
    if not content.startswith(b"PK"):
        return content.replace(wrong.encode(), right.encode())
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        markup = book.read(part)
    return with_parts(content, {part: markup.replace(wrong.encode(), right.encode())})
