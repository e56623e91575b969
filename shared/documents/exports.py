"""Rows out, as CSV or XLSX, in little memory: nothing in them is run as a formula, no number passes through a float.

Whole numbers stay numbers. Money is yuan with two decimals, made from fen by moving the point of a Decimal: the digits
are the same. A spreadsheet itself keeps 15 digits, so a longer number is text there. Instants are RFC 3339 in UTC,
dates are dates.
"""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from shared.documents.cells import protect
from shared.errors import Title

CSV_MEDIA_TYPE: Final = "text/csv"
XLSX_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_CHARS: Final = 32_767  # What a spreadsheet's cell holds at most.
EXACT_NUMBER: Final = 10**15
CHUNK_BYTES: Final = 64 * 1024
STILL_AT_IT: Final = b""  # Nothing to send yet; whoever sends may stop here.

_BOM: Final = "\ufeff".encode()  # Excel needs it for Chinese.
_YUAN: Final = -2  # Where the point of an amount in fen stands.
_COLUMN_WIDTH: Final = 18
_FIRST_YEAR: Final = 1900  # Of a spreadsheet's calendar.
_NOT_IN_XML: Final = str.maketrans(dict.fromkeys((65534, 65535), "�"))

Columns = Mapping[str, Title]  # What is read of each thing, by attribute, and the heading it stands under.
Batches = Iterable[Sequence[object]]
Writer = Callable[[Columns, str, Batches], Generator[bytes]]


def yuan_of(fen: int) -> Decimal:
    """Write fen as yuan, exactly: 1234 → `12.34`."""
    return Decimal(fen).scaleb(_YUAN)


def instant(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_csv(columns: Columns, language: str, batches: Batches) -> Generator[bytes]:
    """Yield a CSV in UTF-8, a piece for each batch. Text is quoted, so that no other delimiter splits it."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    lines.writerow(_headings(columns, language))
    start = _BOM
    for values in _values(columns, batches):
        lines.writerows([_csv_cell(value) for value in row] for row in values)
        yield start + text.getvalue().encode()
        start = b""
        text.seek(0)
        text.truncate()
    if start:
        yield start + text.getvalue().encode()


def write_xlsx(columns: Columns, language: str, batches: Batches) -> Generator[bytes]:
    """Yield a workbook, once all rows are in it: its table of contents stands at its end. Until then pieces are empty.

    Rows wait on disk, in files that are gone with the generator.
    """
    with TemporaryDirectory(prefix="popcandy-") as folder, TemporaryFile(dir=folder) as file:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False})
        page, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        page.set_column(0, len(columns) - 1, _COLUMN_WIDTH)
        page.freeze_panes(1, 0)
        for place, heading in enumerate(_headings(columns, language)):
            page.write_string(0, place, heading)
        try:
            number = 0
            for values in _values(columns, batches):
                for row in values:
                    number += 1
                    for place, value in enumerate(row):
                        _write_xlsx_cell(page, number, place, value, day)
                yield STILL_AT_IT
            book.close()
        finally:
            page.row_data_fh.close()  # The library closes it only with a whole book.
        file.seek(0)
        while piece := file.read(CHUNK_BYTES):
            yield piece


WRITERS: Final[Mapping[str, Writer]] = {"csv": write_csv, "xlsx": write_xlsx}
MEDIA_TYPES: Final[Mapping[str, str]] = {"csv": CSV_MEDIA_TYPE, "xlsx": XLSX_MEDIA_TYPE}


def inline(text: str) -> str:
    """Write text so that a workbook shows it: the library takes `<r>…</r>` for markup and writes it as it is."""
    safe = f"'{text}" if text.startswith("<r>") else text
    return safe[:CELL_CHARS].translate(_NOT_IN_XML)


def _headings(columns: Columns, language: str) -> list[str]:
    return [title.en if language == "en" else title.zh for title in columns.values()]


def _values(columns: Columns, batches: Batches) -> Iterator[list[tuple[Any, ...]]]:
    read = [attrgetter(name) for name in columns]
    for batch in batches:
        yield [tuple(_plain(each(thing)) for each in read) for thing in batch]


def _plain(value: Any) -> Any:  # noqa: ANN401  Whatever a column shows.
    """Reduce a value to what a cell may hold: None, bool, int, Decimal, date or text. Floats are none of these."""
    if value is None or type(value) in {bool, int, str, Decimal}:
        return value
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, float):
        raise TypeError("a float has no place in an export")
    fen = getattr(value, "fen", None)
    if fen is not None:
        return yuan_of(fen)
    return value if isinstance(value, date) else str(value)


def _csv_cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).upper()
    return protect(value) if isinstance(value, str) else value


def _write_xlsx_cell(page: Any, number: int, place: int, value: Any, day: object) -> None:  # noqa: ANN401  Untyped library.
    if value is None or value == "":
        return
    if isinstance(value, bool):
        page.write_boolean(number, place, value)
    elif isinstance(value, str):
        page.write_string(number, place, inline(value))  # As text it is never run, whatever it starts with.
    elif isinstance(value, date):
        _write_date(page, number, place, value, day)
    elif abs(value) < EXACT_NUMBER:
        page.write_number(number, place, value)
    else:
        page.write_string(number, place, str(value))


def _write_date(page: Any, number: int, place: int, value: date, day: object) -> None:  # noqa: ANN401  Untyped library.
    if value.year < _FIRST_YEAR:
        page.write_string(number, place, value.isoformat())
    else:
        page.write_datetime(number, place, value, day)
