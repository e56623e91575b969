"""Rows out of a workbook: its first sheet; hidden sheets and charts are passed over."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineSheet, load_workbook

from shared.documents.cells import Cell
from shared.documents.delimited import kind_of
from shared.documents.packages import Attributes, Markup, Package, broken
from shared.documents.refusals import EmptySheet
from shared.documents.scanning import SharedTexts, SheetScan, TimedStyles
from shared.documents.uploads import Limits

_IN_MEMORY_BYTES: Final = 1024 * 1024
_BOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_TEXTS: Final = "xl/sharedStrings.xml"
_NEEDED: Final = ("[Content_Types].xml", "_rels/.rels", _BOOK, _RELATIONS)
_STYLES: Final = "xl/styles.xml"
_USED: Final = (_TEXTS, _STYLES)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the sheet is: its number in the workbook, from 0, and its part of the package."""

    index: int
    part: str


def read_xlsx(file: IO[bytes], *, limits: Limits) -> Generator[tuple[int, list[Cell]], None, None]:
    """Yield each row from the first that holds something, with its number, from 1, as the spreadsheet shows it.

    A formula's cell holds its text, `=…`, never its last result; a failed one its error, `#N/A`. Raises NotASheet,
    EmptySheet, UnpacksTooLarge, TooManyRows, TooManyColumns.
    """
    start = file.read(8)
    file.seek(0)
    if not start.startswith(b"PK\x03\x04"):
        raise broken(kind_of(start))
    package = Package(file, limits=limits)
    package.require_room([*_NEEDED, *filter(package.has, _USED)])
    place = _first_visible(package)
    parts = [*_NEEDED, *filter(package.has, _USED), place.part]
    package.require_room(parts)
    with _copied(package, parts, limits=limits) as (copy, scan):
        yield from _mended(_loaded(copy, place.index, scan=scan), scan)


def _first_visible(package: Package) -> _Place:
    """Find the first sheet that is neither hidden nor a chart. Raises NotASheet, EmptySheet."""
    sheets = _elements(package, _BOOK, "sheet")
    targets = {
        relation.get("Id"): relation.get("Target", "") for relation in _elements(package, _RELATIONS, "Relationship")
    }
    for index, sheet in enumerate(sheets):
        relation = next((value for name, value in sheet.items() if name.rpartition(":")[2] == "id"), None)
        part = "xl/" + targets.get(relation, "").removeprefix("/").removeprefix("xl/")
        if sheet.get("state", "visible") == "visible" and part.startswith("xl/worksheets/"):
            return _Place(index=index, part=part)
    raise EmptySheet(missing="header")


def _elements(package: Package, part: str, name: str) -> list[Attributes]:
    """List the attributes of each element `name` in a small part."""
    found: list[Attributes] = []
    markup = Markup({name: found.append})
    for chunk in package.chunks(part):
        markup.feed(chunk)
    markup.feed(b"", last=True)
    return found


@contextmanager
def _copied(package: Package, parts: list[str], *, limits: Limits) -> Iterator[tuple[IO[bytes], SheetScan]]:
    """Copy `parts`, the sheet last, into a package of our own, looking at what passes; deleted at the end."""
    texts, styles = SharedTexts(), TimedStyles()
    scan = SheetScan(texts, styles, limits=limits)
    watched = {_TEXTS: texts.markup, _STYLES: styles.markup, parts[-1]: scan.markup}
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as copy:
        with ZipFile(copy, "w") as target:
            for part in parts:
                markup = watched.get(part) or Markup({})
                with target.open(part, "w") as written:
                    for chunk in package.chunks(part):
                        markup.feed(chunk)
                        written.write(chunk)
                markup.feed(b"", last=True)
        copy.seek(0)
        yield copy, scan


def _loaded(copy: IO[bytes], index: int, *, scan: SheetScan) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the sheet's rows with their numbers, each from column A. Raises NotASheet where the reader gives up."""
    try:
        with load_workbook(copy) as book:
            yield from _rows(book.get_sheet_by_index(index), scan=scan)
    except CalamineError:
        raise broken("xlsx with a damaged sheet") from None
    except BaseException as panic:
        # The reader panics on an instant far outside the calendar (calamine 0.9.1); its class cannot be imported.
        if type(panic).__name__ != "PanicException":
            raise
        raise broken("xlsx with an impossible value") from None


def _rows(sheet: CalamineSheet, *, scan: SheetScan) -> Iterator[tuple[int, list[Cell]]]:
    """Yield row by row: the reader's own form of a sheet is smaller than ours."""
    if sheet.start is None or sheet.end is None:
        return
    (top, left), (bottom, right) = sheet.start, sheet.end
    if not scan.first_row <= top + 1 <= bottom + 1 <= scan.last_row or right >= scan.last_column:
        raise broken("xlsx with cells that are not where they seem")
    rows = islice(sheet.iter_rows(), top, None)  # It begins with row 1, though its columns begin at `left`.
    for number, row in enumerate(rows, start=top + 1):
        yield number, [*[""] * left, *row] if left else row


def _mended(rows: Iterator[tuple[int, list[Cell]]], scan: SheetScan) -> Iterator[tuple[int, list[Cell]]]:
    """Put formulas, failures and midnights where the reader left something else, or nothing, not even a row."""
    by_row: dict[int, list[tuple[int, str | None]]] = {}
    for (number, column), text in scan.marks.items():
        by_row.setdefault(number, []).append((column, text))
    for number, column in scan.midnights:
        by_row.setdefault(number, []).append((column, None))
    empty = ((number, list[Cell]()) for number in sorted(by_row))
    for number, found in groupby(merge(rows, empty, key=itemgetter(0)), key=itemgetter(0)):
        _, row = next(found)  # The reader's own, if it has one.
        yield number, _with(row, by_row.get(number, ()))


def _with(row: list[Cell], changes: Iterable[tuple[int, str | None]]) -> list[Cell]:
    for column, text in changes:
        if text is not None:
            row.extend([""] * (column - len(row)))
            row[column - 1] = text
        elif column <= len(row) and type(day := row[column - 1]) is date:
            row[column - 1] = datetime.combine(day, time.min)
    return row
