"""Sheets as people make them, for the tests of reading."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # As above.

from shared.documents.cells import one_of, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_date, local_instant
from shared.documents.sheets import Sheet, read_sheet
from shared.documents.uploads import Limits

SHANGHAI = ZoneInfo("Asia/Shanghai")
COLUMNS = (
    Column("employee_number", ("员工编号", "employee_number"), text(max_length=8)),
    Column("minutes", ("分钟", "minutes"), whole_number(minimum=1, maximum=480)),
    Column("starts_at", ("开始", "starts_at"), local_instant(SHANGHAI), required=False, blank=True),
    Column("on", ("日期", "date"), local_date(), required=False, blank=True),
    Column("evidence", ("证据", "evidence"), one_of({"扫码": "scanned", "照片": "photo"}), required=False, blank=True),
)
HEADER = ("员工编号", "分钟", "开始", "日期", "证据")
Fill = Callable[[Workbook, Worksheet], None]


def read_csv(content: str | bytes, *, columns: Sequence[Column] = COLUMNS, limits: Limits | None = None) -> Sheet:
    """Read a CSV as an import would."""
    data = content.encode() if isinstance(content, str) else content
    return read_sheet(io.BytesIO(data), filename="a.csv", columns=columns, limits=limits or Limits())


def read_xlsx(content: bytes, *, columns: Sequence[Column] = COLUMNS, limits: Limits | None = None) -> Sheet:
    """Read a workbook as an import would."""
    return read_sheet(io.BytesIO(content), filename="a.XLSX", columns=columns, limits=limits or Limits())


def codes(sheet: Sheet) -> list[tuple[int, str, str, str]]:
    """List each error as (row, cell, code, found)."""
    return [(row.number, error.cell, error.code, error.found) for row in sheet.rejected for error in row.errors]


def make_xlsx(*rows: Sequence[object], fill: Fill | None = None) -> bytes:
    """Make a workbook of one sheet from plain values, then let `fill` add to it."""
    content = io.BytesIO()
    with Workbook(content, {"strings_to_formulas": False}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
        if fill:
            fill(book, page)
    return content.getvalue()


def with_parts(content: bytes, parts: Mapping[str, str | bytes], *, level: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Replace parts of a workbook."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w", level) as target:
        for name in source.namelist():
            target.writestr(name, parts.get(name, source.read(name)))
    return made.getvalue()


def with_cells(markup: str) -> bytes:
    """Make a workbook whose sheet is this XML."""
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{markup}</worksheet>'
    return with_parts(make_xlsx(HEADER), {"xl/worksheets/sheet1.xml": sheet})
