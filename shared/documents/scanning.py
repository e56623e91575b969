"""What has to be known of a workbook's sheet before it is loaded: how far it reaches, and which cells are formulas.

The reader of workbooks allots every cell between the first and the last, copies a shared text into each cell that
points to it, makes a date of any midnight, returns a formula's last result as if it were a value, and nothing for a
failed one. So the sheet's XML is looked through first, in one pass.
"""

import re
from typing import Final

from shared.documents.packages import Attributes, Markup, broken
from shared.documents.refusals import TooManyColumns, TooManyRows, UnpacksTooLarge
from shared.documents.uploads import Limits

_CELL = re.compile(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})")
_RANGE = re.compile(rf"{_CELL.pattern}:{_CELL.pattern}")
_INDEX = re.compile(r"\s*([0-9]{1,9})\s*")
_SPREADING: Final = {"array", "dataTable"}  # One such formula fills every cell of its range.


_TIMED_FORMATS: Final = {"18", "19", "20", "21", "22", "45", "46", "47"}  # ECMA-376 part 1, 18.8.30: they show a time.
_LITERAL = re.compile(r'"[^"]*"|\\.|\[\$[^]]*]')
_NEAR_MIDNIGHT: Final = ("00000", "99999")  # Less than a second off, as sums of times are.


def column_number(name: str) -> int:
    """Read a column's letters: A is 1, AA is 27."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class SharedTexts:
    """The workbook's shared texts, of which only the lengths are kept."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.markup = Markup({"si": self._begin}, {"t": self._add})

    def _begin(self, _: Attributes) -> None:
        self.lengths.append(0)

    def _add(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class TimedStyles:
    """The workbook's styles, of which only those that show a time of day are kept, by their number."""

    def __init__(self) -> None:
        self.timed: set[str] = set()
        self._formats = set(_TIMED_FORMATS)
        self._next: int | None = None
        others = dict.fromkeys(("cellStyleXfs", "cellStyles", "dxfs"), self._leave)
        self.markup = Markup({"numFmt": self._format, "cellXfs": self._enter, "xf": self._style} | others)

    def _format(self, attributes: Attributes) -> None:
        if "h" in _LITERAL.sub("", attributes.get("formatCode", "")).lower():
            self._formats.add(attributes.get("numFmtId", ""))

    def _enter(self, _: Attributes) -> None:
        self._next = 0

    def _leave(self, _: Attributes) -> None:
        self._next = None

    def _style(self, attributes: Attributes) -> None:
        if self._next is not None:
            if attributes.get("numFmtId") in self._formats:
                self.timed.add(str(self._next))
            self._next += 1


class SheetScan:
    """One pass over a sheet: its bounds, its formulas and failures (`marks`), and `midnights`.

    Midnights are the cells that show a time of day and hold none. Rows and columns count from 1. Raises TooManyRows,
    TooManyColumns, UnpacksTooLarge as soon as a limit is passed.
    """

    def __init__(self, texts: SharedTexts, styles: TimedStyles, *, limits: Limits) -> None:
        self.midnights: list[tuple[int, int]] = []
        self.marks: dict[tuple[int, int], str] = {}
        self.first_row = self.last_row = self.last_column = 0
        self.markup = Markup(
            {"row": self._row, "c": self._cell, "v": self._value, "is": self._value, "f": self._formula},
            {"v": self._read_value, "f": self._read_formula},
        )
        self._limits, self._lengths, self._timed = limits, texts.lengths, styles.timed
        self._row_number, self._row_digits = 0, ""
        self._at, self._kind, self._style = (0, 0), "", ""
        self._known: dict[str, int] = {}
        self._lengths_seen: dict[str, int] = {}
        self._text_chars = self._spread_cells = 0

    def _row(self, attributes: Attributes) -> None:
        digits = attributes.get("r")
        self._row_number = self._locate(f"A{digits}")[0] if digits else self._row_number + 1
        self._at, self._row_digits = (self._row_number, 0), str(self._row_number)

    def _cell(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        if place is None:
            self._at = (self._row_number, self._at[1] + 1)
        elif place.endswith(self._row_digits) and (column := self._known.get(place[: -len(self._row_digits) or None])):
            self._at = (self._row_number, column)
        else:
            self._at = self._locate(place)
        self._kind, self._style = attributes.get("t", ""), attributes.get("s", "")

    def _locate(self, place: str) -> tuple[int, int]:
        found = _CELL.fullmatch(place)
        if found is None:
            raise broken("xlsx with a cell out of place")
        name, digits = found.groups()
        return int(digits), self._known.setdefault(name, column_number(name))

    def _value(self, _: Attributes) -> None:
        """Take note of a cell that holds something; a styled empty one does not count."""
        row, column = self._at
        if column > self.last_column or row > self.last_row or row < self.first_row:
            self._reach(row, column)

    def _reach(self, row: int, column: int) -> None:
        if column > self.last_column:
            self.last_column = column
            if column > self._limits.max_columns:
                raise TooManyColumns(max_columns=self._limits.max_columns)
        if row > self.last_row or row < self.first_row:
            self.first_row, self.last_row = min(self.first_row or row, row), max(self.last_row, row)
            if self.last_row - self.first_row > self._limits.max_rows:
                raise TooManyRows(max_rows=self._limits.max_rows)

    def _read_value(self, text: str) -> None:
        if self._kind == "s" and text:
            self._count_shared(text)
        elif self._kind == "e":
            self.marks.setdefault(self._at, text.strip())
        elif self._style in self._timed:
            fraction = text.partition(".")[2]
            if not fraction or fraction.startswith(_NEAR_MIDNIGHT):
                self.midnights.append(self._at)

    def _count_shared(self, text: str) -> None:
        """Pay for one more copy of a shared text."""
        length = self._lengths_seen.get(text)
        if length is None:
            length = self._lengths_seen[text] = self._shared_length(text)
        self._text_chars += length
        if self._text_chars > self._limits.max_unpacked_bytes:
            raise UnpacksTooLarge(max_bytes=self._limits.max_unpacked_bytes, max_ratio=self._limits.max_ratio)

    def _shared_length(self, text: str) -> int:
        found = _INDEX.fullmatch(text)
        if found is None or int(found[1]) >= len(self._lengths):
            raise broken("xlsx with a shared text missing")
        return self._lengths[int(found[1])]

    def _formula(self, attributes: Attributes) -> None:
        self._reach(*self._at)
        self.marks[self._at] = "="
        if attributes.get("t") in _SPREADING:
            self._spread(attributes.get("ref", ""))

    def _read_formula(self, text: str) -> None:
        self.marks[self._at] = f"={text}"

    def _spread(self, area: str) -> None:
        """Mark each cell that a formula for several cells fills. What overlaps is counted again."""
        found = _RANGE.fullmatch(area)
        if found is None:
            return
        (top, left), (bottom, right) = self._locate(found[1] + found[2]), self._locate(found[3] + found[4])
        self._reach(bottom, right)
        self._spread_cells += max(bottom - top + 1, 0) * max(right - left + 1, 0)
        if self._spread_cells > self._limits.max_rows * self._limits.max_columns:
            raise UnpacksTooLarge(max_bytes=self._limits.max_unpacked_bytes, max_ratio=self._limits.max_ratio)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                self.marks.setdefault((row, column), "=")
