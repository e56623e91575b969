"""Sheets as operators send them."""

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.main import imports
from services.activities.proposal_imports.rules import ProposalRow
from services.activities.proposal_imports.rules import columns as proposal_columns
from services.activities.volunteers.tables import Volunteer
from shared.ids import new_id
from shared.imports import committing, queries, staging
from shared.imports.judging import Case, Objections
from shared.imports.kinds import ImportKind
from shared.imports.queries import Scope
from shared.imports.staging import Upload
from shared.imports.tables import Import
from shared.roles import Role
from tests.factories.activities import PROGRAMME, REVIEWER, at
from tests.shared.documents.files import make_xlsx, with_parts

CHINESE = {
    "volunteers": ("员工编号", "显示名", "部门", "城市", "技能", "语言", "在职起始", "在职截止（不含）"),
    "shifts": ("伙伴编号", "活动编号", "活动名称", "场次", "开始时间", "结束时间", "名额"),
    "attendance": ("活动编号", "场次", "员工编号", "签到时间", "签退时间", "证据"),
    "proposals": tuple(column.titles[0] for column in proposal_columns(ZoneInfo("UTC"))),
}
ENGLISH = {
    "volunteers": (
        "employee_number", "display_name", "department", "city", "skills", "languages", "employed_from",
        "employed_until",
    ),
    "shifts": (
        "partner_reference", "listing_reference", "title", "shift_number", "starts_at", "ends_at", "capacity",
    ),
    "attendance": (
        "listing_reference", "shift_number", "employee_number", "checked_in_at", "checked_out_at", "evidence",
    ),
    "proposals": ProposalRow._fields,
}  # fmt: skip
NOW = at(20)
FORMS = pytest.mark.parametrize(("ending", "english"), [("csv", False), ("csv", True), ("xlsx", False), ("xlsx", True)])
PEOPLE = (("E1", "合成甲"), ("E2", "合成乙"))
SHIFT_ROWS = (
    ("P1", "L1", "净滩", 1, "2022-06-01 09:00", "2022-06-01 12:00", 10),
    ("P1", "L1", "净滩", 2, "2022/6/2 9:00", "2022-06-02T12:00+08:00", 20),
    ("P1", "L2", "种树", 1, "2022-06-01 23:00", "2022-06-02 01:00", 10),
)
ROWS = (
    ("L1", 1, "E1", "2022-06-01 08:55", "2022-06-01 12:05", "扫码"),
    ("L1", 1, "E2", "2022-06-01 09:10", "2022-06-01 11:00:30", "attested"),
    ("L1", 1, "E3", "2022-06-01 09:00", "", "补签"),
)
AnyKind = ImportKind[Any, Any]
CASE = Case(PROGRAMME, new_id(), "Asia/Shanghai", REVIEWER, NOW)


def attended(tx: Session) -> dict[str, tuple[str, int, int, str | None]]:
    """Read who attended: state, version, minutes, evidence."""
    rows = select(Attendance, Volunteer.employee_number).join(Volunteer, Attendance.volunteer_id == Volunteer.id)
    rows = rows.where(Attendance.programme_id == PROGRAMME).execution_options(populate_existing=True)
    return {number: (row.state, row.version, row.service_minutes, row.evidence) for row, number in tx.execute(rows)}


def versions(tx: Session) -> int:
    """Count what was ever settled."""
    rows = select(func.count()).select_from(AttendanceVersion).join(
        Attendance, AttendanceVersion.attendance_id == Attendance.id
    )  # fmt: skip
    return tx.scalars(rows.where(Attendance.programme_id == PROGRAMME)).one()


def sheet(kind: AnyKind, *rows: Sequence[object], ending: str = "csv", english: bool = False) -> bytes:
    """Make a sheet with the template's headings."""
    return table((ENGLISH if english else CHINESE)[kind.name], *rows, ending=ending)


def table(*rows: Sequence[object], ending: str = "csv") -> bytes:
    """Make a file of rows."""
    if ending == "xlsx":
        return make_xlsx(*rows)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def stage(tx: Session, kind: AnyKind, content: bytes, **overrides: Any) -> Import:
    """Send in a sheet; `programme_id`, `timezone`, `file_name` and `now` may be said."""
    now = overrides.pop("now", NOW)
    values: dict[str, Any] = {"programme_id": PROGRAMME, "timezone": "Asia/Shanghai", "file_name": "a.csv"}
    upload = Upload(sent_by=REVIEWER, content=io.BytesIO(content), **values | overrides)
    return staging.stage(tx, kind, upload, now=now)


def scope(programme_id: UUID = PROGRAMME) -> Scope:
    """Return what an operator sees."""
    return imports().scope(programme_id, frozenset({Role.OPERATOR}))


def order(tx: Session, import_id: UUID, *, programme_id: UUID = PROGRAMME, skip_rejected: bool = False) -> None:
    """Have a staged sheet brought in."""
    committing.order(
        tx, imports().task, scope(programme_id), import_id, skip_rejected=skip_rejected, by=REVIEWER
    )  # fmt: skip


def commit(tx: Session, staged: Import, *, skip_rejected: bool = False) -> Import:
    """Order it and bring it in, in one transaction."""
    return commit_by_id(tx, staged.id, programme_id=staged.programme_id, skip_rejected=skip_rejected)


def commit_by_id(
    tx: Session, import_id: UUID, *, programme_id: UUID = PROGRAMME, skip_rejected: bool = False
) -> Import:
    """Bring in what was staged by somebody else."""
    order(tx, import_id, programme_id=programme_id, skip_rejected=skip_rejected)
    committing.bring_in(tx, imports().kinds, import_id, now=NOW, tell=lambda _done, _total: None)
    return queries.get_standing(tx, scope(programme_id), import_id).row


def shown(staged: Import) -> tuple[int, int, int, int]:
    """Return the counts of the preview: create, update, skip, rejected."""
    return staged.creates, staged.updates, staged.skips, staged.rejects


def good(staged: Import) -> int:
    """Count the rows that can be brought in."""
    return staged.creates + staged.updates + staged.skips


def brought(done: Import) -> tuple[int | None, int | None, int | None]:
    """Return what a commit did: created, updated, skipped."""
    return done.created, done.updated, done.skipped


def bring(tx: Session, kind: AnyKind, *rows: Sequence[object]) -> tuple[int | None, int | None, int | None]:
    """Stage and commit good rows; return how many were created, updated and skipped."""
    staged = stage(tx, kind, sheet(kind, *rows))
    assert (staged.rejects, staged.errors) == (0, [])
    return brought(commit(tx, staged))


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


def told(objections: Objections) -> dict[int, dict[str, str]]:
    """List what is objected to by row and column."""
    return {place: {column: bad.code for column, bad in found.items()} for place, found in objections.items()}
