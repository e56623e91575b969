"""What the columns of an import are, and where they stand in one file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.documents.cells import Cell, Parser, as_text, fold
from shared.documents.refusals import WrongHeaders
from shared.errors import Title

ERRORS_TITLE: Final = "错误 Errors"
_FOUND_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an import: `name` in the parsed row, the `titles` it may bear (zh and en), how a cell is parsed.

    A `required` column has to be in the header; in an absent one every value is None. An empty cell is refused unless
    `blank`, then it is None. A template says what its parser takes, and the `note` beside it.
    """

    name: str
    titles: tuple[str, ...]
    parse: Parser
    required: bool = True
    blank: bool = False
    note: Title | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand in one file: `header` as written, the column at each place or None."""

    header: list[str]
    places: list[Column | None]
    absent: list[str]
    errors_at: int | None

    def title(self, place: int) -> str:
        """Name a place as the file does, by its letter where there is no heading."""
        return (self.header[place] if place < len(self.header) else "") or letters(place + 1)

    def place(self, name: str) -> int:
        """Find where the column `name` stands; behind the last one when this file does not have it."""
        places = (place for place, column in enumerate(self.places) if column and column.name == name)
        return next(places, len(self.header))


def letters(number: int) -> str:
    """Write a column's number, from 1, as spreadsheets do: 1 is A, 27 is AA."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def shown(text: str) -> str:
    """Cut what was found to what a person needs to recognise it."""
    return text if len(text) <= _FOUND_SHOWN else f"{text[: _FOUND_SHOWN - 1]}…"


def match(header: list[str], columns: Sequence[Column]) -> Layout:
    """Find the columns in a header (see `headings`). Raises WrongHeaders.

    The errors column of a reject file is passed over. An unknown heading is refused rather than ignored: it may be an
    optional column, misspelt, whose values would be lost.
    """
    by_title = {fold(title): column for column in columns for title in column.titles}
    known = [by_title.get(fold(title)) for title in header]
    counts = Counter(column.name for column in known if column)
    errors_at = next((place for place, title in enumerate(header) if fold(title) == fold(ERRORS_TITLE)), None)
    facts = {
        "missing": [column.titles[0] for column in columns if column.required and not counts[column.name]],
        "unknown": [
            shown(title) for place, title in enumerate(header) if title and not known[place] and place != errors_at
        ],
        "repeated": [column.titles[0] for column in columns if counts[column.name] > 1],
    }
    if any(facts.values()):
        raise WrongHeaders(**facts, expected=[column.titles[0] for column in columns])
    absent = [column.name for column in columns if not counts[column.name]]
    return Layout(header=header, places=known, absent=absent, errors_at=errors_at)


def headings(cells: Sequence[Cell]) -> list[str]:
    """Write the header as text, without the empty cells behind its last heading."""
    header = [as_text(cell).strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    return header
