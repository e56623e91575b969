"""The file of rejected rows that a person mends and sends again: the same columns, and beside them what is wrong."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from shared.documents.cells import as_text, protect, unprotect
from shared.documents.columns import ERRORS_TITLE, Layout
from shared.documents.exports import inline
from shared.documents.sheets import Kind, RejectedRow, Sheet

_COLUMN_WIDTH: Final = 18
_MADE: Final = datetime(1980, 1, 1)  # noqa: DTZ001  As all of a workbook's parts say: same rows, same bytes.
_TEXT_FORMAT: Final = {"num_format": "@"}  # So that 000123 and dates stay as they are mended.


def write_rejects(sheet: Sheet, *, more: Iterable[RejectedRow] = ()) -> bytes:
    """Write a sheet's rejected rows, and `more` of the caller's (see `Sheet.reject`), in the file's order."""
    rejected = sorted([*sheet.rejected, *more], key=lambda row: row.number)
    return write_rejected(sheet.kind, sheet.layout, rejected)


def write_rejected(kind: Kind, layout: Layout, rejected: Sequence[RejectedRow]) -> bytes:
    """Write rejected rows as a file of the kind that they came in.

    Nothing in it is run as a formula. Sent again as it is, it is refused for the same reasons; the errors column is
    passed over.
    """
    lines = _lines(layout, rejected)
    return _as_xlsx(lines) if kind == "xlsx" else _as_csv(lines)


def _lines(layout: Layout, rejected: Sequence[RejectedRow]) -> Iterator[list[str]]:
    """Yield the header and each row: the file's own columns, the errors, then what stood under no heading."""
    width, old = len(layout.header), layout.errors_at
    yield [title for place, title in enumerate(layout.header) if place != old] + [ERRORS_TITLE]
    for row in rejected:
        cells = [as_text(cell) for cell in row.cells]
        cells += [""] * (width - len(cells))
        yield [cell for place, cell in enumerate(cells[:width]) if place != old] + [_told(row)] + cells[width:]


def _told(row: RejectedRow) -> str:
    """Write a row's errors in both languages, one a line."""
    return "\n".join(f"{error.column}: {error.fix.zh} / {error.fix.en}" for error in row.errors)


def _as_csv(lines: Iterator[list[str]]) -> bytes:
    """Write UTF-8 with a byte order mark, which Excel needs for Chinese; cells protected already stay as they are."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([protect(unprotect(cell)) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")


def _as_xlsx(lines: Iterator[list[str]]) -> bytes:
    """Write every cell as text, so that nothing is a formula or a rounded number."""
    content = io.BytesIO()
    with Workbook(content, {"constant_memory": True}) as book:
        book.set_properties({"created": _MADE})
        page = book.add_worksheet()
        page.set_column(0, 0xFF, _COLUMN_WIDTH, book.add_format(_TEXT_FORMAT))
        for number, line in enumerate(lines):
            for place, cell in enumerate(line):
                if cell:
                    page.write_string(number, place, inline(cell))
    return content.getvalue()
