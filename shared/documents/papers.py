"""What a document says, before anybody knows whether it becomes pages or sheets: values, never their looks.

A paper goes to `typesetting.typeset` (PDF) and to `spreadsheets.write_book` (XLSX). Text in it may be anybody's: both
take it as text, whatever it looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.errors import Title

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Fen:
    """An amount of money, in fen."""

    fen: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """A time of service, in whole minutes; negative where some are dropped."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many of something."""

    number: int


@dataclass(frozen=True, slots=True)
class Reference:
    """An id by which something is found again; set small."""

    text: str


Cell = str | Fen | Minutes | Count | Reference | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and how wide the column is beside the others of its table."""

    heading: str
    share: int = 1
    is_figure: bool = False  # Figures stand at the right.


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings, which every page and sheet repeats; `total` closes it."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with a value each."""

    title: str
    pairs: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG (see `charts`), and the same in words for who cannot see it; `percent` is of the page's width."""

    title: str
    svg: str
    says: str
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Space:
    """Room for what is put onto the paper by hand, as a seal or a signature; sheets leave it out."""

    title: str
    millimetres: int = 35


Section = Table | Facts | Picture | Space


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document. `reference` names what it is about, `trace` the request or command that made it.

    Two papers that are equal become the same bytes: the time is `issued_at`, and nothing else is read.
    """

    title: str
    language: Language
    programme: str
    reference: str
    issued_at: datetime
    sections: Sequence[Section]
    period: str = ""
    trace: str = ""
    timezone: str = "Asia/Shanghai"  # In which instants are shown.
    keywords: Sequence[str] = ()  # Of the file, for machines; written as they are.


def pick(title: Title, language: Language) -> str:
    """Return a title in one language."""
    return title.en if language == "en" else title.zh
