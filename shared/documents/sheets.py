"""A table somebody filled in, read into typed rows, with what is wrong told by row and column.

The first row that is not empty is the header, all below it are rows; empty rows are passed over. A row is either read
or rejected, never half; whether the good ones may be used without the bad is the caller's rule.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final, Literal

from shared.documents.cells import SUSPECT, BadCell, Cell, as_text, plain
from shared.documents.columns import Column, Layout, headings, letters, match, shown
from shared.documents.delimited import read_csv
from shared.documents.refusals import EmptySheet, NotASheet, TooManyColumns, TooManyRows
from shared.documents.uploads import Limits, received
from shared.documents.workbooks import read_xlsx
from shared.errors import Title

Kind = Literal["xlsx", "csv"]
DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with one cell: where it is (`cell` C7, `column` its heading), what was `found`, how to mend it."""

    cell: str
    column: str
    code: str
    expected: str
    found: str
    fix: Title


@dataclass(frozen=True, slots=True)
class Row:
    """One good row: its number in the file, its values by column name (of the type that the column's parser makes)."""

    number: int
    values: dict[str, Any]
    cells: list[Cell] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was not read: its number in the file, its cells as they were, and each of its errors."""

    number: int
    cells: list[Cell] = field(repr=False)
    errors: list[CellError]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: every row of it is in `rows` or in `rejected`."""

    kind: Kind
    layout: Layout
    rows: list[Row]
    rejected: list[RejectedRow]

    def reject(self, row: Row, reasons: Mapping[str, BadCell]) -> RejectedRow:
        """Make a rejected row of one that the caller's own rules refuse; `reasons` are by column name."""
        return reject(self.layout, row.number, row.cells, reasons)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file whose header was understood; `rows` are read from it one by one, once, while it is open."""

    kind: Kind
    layout: Layout
    rows: Iterator[Row | RejectedRow]


@contextmanager
def reading(
    stream: IO[bytes], *, filename: str, columns: Sequence[Column], limits: Limits = DEFAULT_LIMITS
) -> Iterator[Reading]:
    """Open an upload; the ending of `filename` says what it has to be, .xlsx or .csv, and its first bytes agree.

    Raises a refusal of `shared.documents.refusals` when the file as a whole cannot be used, TooManyRows and EmptySheet
    among its rows.
    """
    kind = _kind(filename)
    with received(stream, max_bytes=limits.max_bytes) as file:
        numbered = read_xlsx(file, limits=limits) if kind == "xlsx" else read_csv(file)
        filled = ((number, cells) for number, cells in numbered if not all(map(_is_empty, cells)))
        with closing(numbered):
            header_number, cells = next(filled, (0, list[Cell]()))
            layout = _layout(cells, columns, limits=limits)
            yield Reading(kind, layout, _read_rows(filled, layout, header_number, limits))


def read_sheet(
    stream: IO[bytes], *, filename: str, columns: Sequence[Column], limits: Limits = DEFAULT_LIMITS
) -> Sheet:
    """Read an upload into typed rows, all at once (see `reading`)."""
    with reading(stream, filename=filename, columns=columns, limits=limits) as found:
        sheet = Sheet(kind=found.kind, layout=found.layout, rows=[], rejected=[])
        for row in found.rows:
            if isinstance(row, Row):
                sheet.rows.append(row)
            else:
                sheet.rejected.append(row)
    return sheet


def _read_rows(
    filled: Iterator[tuple[int, list[Cell]]], layout: Layout, header_number: int, limits: Limits
) -> Iterator[Row | RejectedRow]:
    """Yield each row below the header. Raises TooManyRows; EmptySheet if there is none."""
    reader, number = _RowReader(layout), 0
    for number, cells in filled:
        if number - header_number > limits.max_rows:
            raise TooManyRows(max_rows=limits.max_rows)
        yield reader.read(number, cells)
    if not number:
        raise EmptySheet(missing="rows")


def _kind(filename: str) -> Kind:
    """Tell what a file claims to be by its ending. Raises NotASheet."""
    ending = filename.rpartition(".")[2].casefold()
    if ending == "xlsx":
        return "xlsx"
    if ending == "csv":
        return "csv"
    raise NotASheet(expected="xlsx or csv", found=shown(ending))


def _layout(cells: list[Cell], columns: Sequence[Column], *, limits: Limits) -> Layout:
    header = headings(cells)
    if not header:
        raise EmptySheet(missing="header")
    if len(header) > limits.max_columns:
        raise TooManyColumns(max_columns=limits.max_columns)
    return match(header, columns)


def _is_empty(cell: Cell) -> bool:
    return isinstance(cell, str) and (not cell or cell.isspace())


class _RowReader:
    """Reads one row after the other by a layout; what does not change between rows is worked out once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._columns = [
            (place, column.name, column.parse.run, column.blank) for place, column in enumerate(layout.places) if column
        ]
        self._absent: dict[str, Any] = dict.fromkeys(layout.absent)
        self._width = len(layout.header)
        self._gaps = [
            place for place, column in enumerate(layout.places) if column is None and place != layout.errors_at
        ]

    def read(self, number: int, cells: list[Cell]) -> Row | RejectedRow:
        """Parse a row; a rejected one has all of its errors."""
        values = self._absent.copy()
        errors: list[tuple[int, BadCell]] = []
        size = len(cells)
        for place, name, parse, blank in self._columns:
            try:
                values[name] = _value(cells[place] if place < size else "", parse, blank=blank)
            except BadCell as bad:
                errors.append((place, bad))
        if size > self._width or self._gaps:
            errors += self._stray(cells)
        if errors:
            return _rejected(number, cells, errors, self._layout)
        return Row(number=number, values=values, cells=cells)

    def _stray(self, cells: list[Cell]) -> list[tuple[int, BadCell]]:
        """Object to the first value that stands under no heading; there may be thousands."""
        places = [*self._gaps, *range(self._width, len(cells))]
        return [(place, _without_heading()) for place in places if place < len(cells) and not _is_empty(cells[place])][
            :1
        ]


def _value(cell: Cell, parse: Callable[[Cell], object], *, blank: bool) -> object:
    """Parse one cell, trimmed. Raises BadCell."""
    if isinstance(cell, str):
        trimmed = cell.strip()
        cell = plain(cell) if trimmed and trimmed[0] in SUSPECT else trimmed
        if not cell:
            if blank:
                return None
            raise BadCell("blank", expected="…", fix=Title(zh="请填写此项", en="Fill this in"))
    return parse(cell)


def reject(layout: Layout, number: int, cells: list[Cell], reasons: Mapping[str, BadCell]) -> RejectedRow:
    """Make a rejected row of a good one that the caller's own rules refuse; `reasons` are by column name."""
    return _rejected(number, cells, [(layout.place(name), bad) for name, bad in reasons.items()], layout)


def _without_heading() -> BadCell:
    fix = Title(
        zh="此处没有表头，请删除该内容或移到正确的列",
        en="There is no heading here: delete this or move it to its column",
    )
    return BadCell("too_many_cells", expected="", fix=fix)


def _rejected(number: int, cells: list[Cell], errors: Sequence[tuple[int, BadCell]], layout: Layout) -> RejectedRow:
    told = [
        CellError(
            cell=f"{letters(place + 1)}{number}",
            column=layout.title(place),
            code=bad.code,
            expected=bad.expected,
            found=shown(as_text(cells[place])) if place < len(cells) else "",
            fix=bad.fix,
        )
        for place, bad in errors
    ]
    return RejectedRow(number=number, cells=cells, errors=told)
