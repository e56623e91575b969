"""Papers as workbooks: an overview with facts and pictures, then a sheet for each table.

Text is always text: nothing in it is run as a formula, made a link or a number. Money is a number with two places and
time a whole number of minutes, so that they can be added up; beyond 15 digits, where a spreadsheet rounds, they are
text.
"""

import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from shared.documents import glyphs, wording
from shared.documents.papers import Cell, Count, Facts, Fen, Language, Minutes, Paper, Picture, Reference, Table
from shared.errors import Title

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # It ships no types.

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CELL_CHARS: Final = 32_767  # What a spreadsheet's cell holds at most; so for a sheet's name.
_NAME_CHARS: Final = 31
_EXACT: Final = 10**15
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\]")
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_SHARE_WIDTH: Final = 14
_WORDS: Final = {
    "overview": Title(zh="概览", en="Overview"),
    "programme": Title(zh="项目", en="Programme"),
    "period": Title(zh="期间", en="Period"),
    "reference": Title(zh="编号", en="Reference"),
    "issued_at": Title(zh="出具时间", en="Issued at"),
    "trace": Title(zh="追溯号", en="Trace"),
    "table": Title(zh="表", en="Table"),
}


def write_book(paper: Paper) -> bytes:
    """Write a paper as XLSX. Equal papers give equal bytes."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]  # noqa: PLC0415  It ships no types; loaded by use.

    content = io.BytesIO()
    with Workbook(content, _OPTIONS) as book:
        book.set_properties(
            {
                "title": glyphs.storable(paper.title),
                "author": "Popcandy",
                "subject": glyphs.storable(paper.reference),
                "created": paper.issued_at.astimezone(ZoneInfo("UTC")).replace(tzinfo=None),
            }
        )
        _Binder(book, paper).bind()
    return content.getvalue()


class _Binder:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, paper: Paper) -> None:  # noqa: ANN401  XlsxWriter ships no types.
        self._book, self._paper = book, paper
        self._names: set[str] = set()
        self._heading = book.add_format({"bold": True, "bg_color": "#F2F5F8", "text_wrap": True, "valign": "top"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        self._formats = {
            name: book.add_format({"num_format": pattern, "valign": "top"})
            for name, pattern in (
                ("money", '"¥"#,##0.00;-"¥"#,##0.00'),
                ("minutes", f'#,##0" {"分钟" if paper.language == "zh" else "min"}"'),
                ("count", "#,##0"),
                ("day", "yyyy-mm-dd"),
                ("instant", "yyyy-mm-dd hh:mm"),
            )
        }

    def bind(self) -> None:
        """Write the overview, then each table."""
        self._overview()
        for section in self._paper.sections:
            if isinstance(section, Table):
                self._table(section)

    def _overview(self) -> None:
        paper = self._paper
        page = self._page(self._word("overview"))
        page.set_column(0, 0, 28)
        page.set_column(1, 1, 44)
        page.write_string(0, 0, glyphs.storable(paper.title), self._title)
        head: list[tuple[str, Cell]] = [
            (self._word("programme"), paper.programme),
            (self._word("period"), paper.period or None),
            (self._word("reference"), paper.reference),
            (self._word("issued_at"), wording.instant(paper.issued_at, paper.language, paper.timezone)),
            (self._word("trace"), paper.trace or None),
        ]
        row = self._pairs(page, [(name, value) for name, value in head if value is not None], at=2)
        for section in paper.sections:
            if isinstance(section, Picture):
                row = self._picture(page, section, at=row + 1)
            elif isinstance(section, Facts):
                page.write_string(row + 1, 0, glyphs.storable(section.title), self._heading)
                row = self._pairs(page, section.pairs, at=row + 2)

    def _pairs(self, page: "Worksheet", pairs: Sequence[tuple[str, Cell]], *, at: int) -> int:
        for offset, pair in enumerate(pairs):
            self._row(page, at + offset, pair)
        return at + len(pairs)

    def _picture(self, page: "Worksheet", picture: Picture, *, at: int) -> int:
        """Put a chart in, with what it says for who cannot see it; return the row below it."""
        from shared.documents.charts import png_of  # noqa: PLC0415  Only a book with pictures loads the charts.

        page.write_string(at, 0, glyphs.storable(picture.title), self._heading)
        options = {
            "image_data": io.BytesIO(png_of(picture.svg)),
            "x_scale": 0.5,
            "y_scale": 0.5,
            "description": glyphs.storable(picture.says),
        }
        page.insert_image(at + 1, 0, "chart.png", options)
        return at + 18

    def _table(self, table: Table) -> None:
        page = self._page(table.title)
        for place, column in enumerate(table.columns):
            page.set_column(place, place, max(_SHARE_WIDTH, _SHARE_WIDTH * column.share // 2))
            page.write_string(0, place, glyphs.storable(column.heading), self._heading)
        page.freeze_panes(1, 0)
        page.repeat_rows(0)
        for number, row in enumerate(table.rows, start=1):
            self._row(page, number, row)
        if table.total is not None:
            self._row(page, len(table.rows) + 1, table.total)
        if table.note:
            page.write_string(len(table.rows) + 3, 0, glyphs.storable(table.note)[:_CELL_CHARS])

    def _row(self, page: "Worksheet", number: int, row: Sequence[Cell]) -> None:
        for place, cell in enumerate(row):
            self._cell(page, number, place, cell)

    def _cell(self, page: "Worksheet", row: int, column: int, cell: Cell) -> None:
        """Write one value by its kind; never by what it looks like."""
        match cell:
            case Fen(fen) if abs(fen) < _EXACT:
                page.write_number(row, column, Decimal(fen).scaleb(-2), self._formats["money"])
            case Minutes(minutes) if abs(minutes) < _EXACT:
                page.write_number(row, column, minutes, self._formats["minutes"])
            case Count(number) if abs(number) < _EXACT:
                page.write_number(row, column, number, self._formats["count"])
            case datetime():
                local = cell.astimezone(ZoneInfo(self._paper.timezone)).replace(tzinfo=None)
                page.write_datetime(row, column, local, self._formats["instant"])
            case date():
                page.write_datetime(row, column, cell, self._formats["day"])
            case None:
                return
            case str() | Reference() | Fen() | Minutes() | Count():
                text = glyphs.storable(wording.written(cell, self._paper.language, self._paper.timezone))
                page.write_string(row, column, text[:_CELL_CHARS], self._text)

    def _page(self, title: str) -> "Worksheet":
        page = self._book.add_worksheet(self._name(title))
        page.set_landscape()
        page.set_paper(9)  # A4.
        page.fit_to_pages(1, 0)
        page.set_footer("&P / &N")
        return page

    def _name(self, title: str) -> str:
        """Make a sheet's name of a title: what spreadsheets forbid is left out, and no two are alike."""
        plain = _NOT_IN_NAMES.sub(" ", glyphs.storable(title)).strip(" '")[: _NAME_CHARS - 3].strip(" '")
        first = plain if plain and plain.casefold() != "history" else self._word("table")
        name, again = first, 1
        while name.casefold() in self._names:
            again += 1
            name = f"{first} {again}"
        self._names.add(name.casefold())
        return name

    def _word(self, name: str) -> str:
        language: Language = self._paper.language
        title = _WORDS[name]
        return title.en if language == "en" else title.zh
