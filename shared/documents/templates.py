"""Templates to download and fill in: headings, what each column takes, and examples that nobody takes for data.

A workbook's first sheet is the one that is read: it has headings, and checks while one types. What the columns mean,
and the examples, stand on sheets behind it, which are passed over. A CSV has one sheet, so its examples stand in it;
each of their rows holds a value that begins with EXAMPLE, and such a row is never brought in (`is_example`).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # As above.

from shared.documents.cells import BadCell, Form
from shared.documents.columns import Column
from shared.documents.moments import DATE_FORM, INSTANT_FORM
from shared.documents.sheets import Kind
from shared.errors import Title

Language = Literal["zh", "en"]

EXAMPLE: Final = "EXAMPLE"
_MOST_ROWS: Final = 200_000  # As many rows as are read get a check (`Limits.max_rows`).
_MESSAGE_CHARS: Final = 255  # Excel's own limits, of a message and of its title.
_TITLE_CHARS: Final = 32
_WIDTH: Final = 20
_FORMATS: Final = {"text": "@", "whole": "0", "choice": "@", "date": "yyyy-mm-dd", "instant": "yyyy-mm-dd hh:mm"}
_SHEETS: Final = {
    "zh": ("填写", "说明", "示例（不会导入）"),
    "en": ("Fill in", "Notes", "Examples (not imported)"),
}
_NOTES: Final = {"zh": ("列", "是否必填", "填写要求"), "en": ("column", "required", "what to write")}
_REQUIRED: Final = {"zh": ("可留空", "必填"), "en": ("may be empty", "required")}
_HEAD: Final = {"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"}


@dataclass(frozen=True, slots=True)
class Template:
    """What a template is made of: each of the `examples` has a cell for each column."""

    columns: Sequence[Column]
    examples: Sequence[Sequence[str]]

    def write(self, kind: Kind, language: Language) -> bytes:
        """Write it as a file; the same each time but for the date that a workbook bears."""
        return self._as_xlsx(language) if kind == "xlsx" else self._as_csv(language)

    def _as_csv(self, language: Language) -> bytes:
        """Write UTF-8 with a byte order mark, which Excel needs for Chinese."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([self._headings(language), *self.examples])
        return text.getvalue().encode("utf-8-sig")

    def _as_xlsx(self, language: Language) -> bytes:
        content = io.BytesIO()
        with Workbook(content, {"strings_to_formulas": False}) as book:
            form, notes, examples = (book.add_worksheet(name) for name in _SHEETS[language])
            head = book.add_format(_HEAD)
            form.freeze_panes(1, 0)
            form.write_row(0, 0, self._headings(language), head)
            for place, column in enumerate(self.columns):
                written = book.add_format({"num_format": _FORMATS[column.parse.form.kind]})
                form.set_column(place, place, _WIDTH, written)
                form.data_validation(1, place, _MOST_ROWS, place, _check(column, language))
            _fill(notes, head, _NOTES[language], (_explained(column, language) for column in self.columns))
            _fill(examples, head, self._headings(language), self.examples)
        return content.getvalue()

    def _headings(self, language: Language) -> list[str]:
        return [_heading(column, language) for column in self.columns]


def is_example(texts: Iterable[object]) -> bool:
    """Say whether a row is one of a template's examples: one of its texts begins with EXAMPLE."""
    return any(isinstance(text, str) and text.startswith(EXAMPLE) for text in texts)


def an_example() -> BadCell:
    """Make the objection to a template's example that was sent in with the data."""
    fix = Title(zh="这是模板中的示例行，请删除", en="This is an example of the template: delete the row")
    return BadCell("example_row", expected=f"≠ {EXAMPLE}…", fix=fix)


def _heading(column: Column, language: Language) -> str:
    return column.titles[0 if language == "zh" else -1]


def _fill(page: Worksheet, head: object, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    page.set_column(0, len(headings) - 1, _WIDTH)
    page.write_row(0, 0, headings, head)
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            page.write_string(number, place, cell)


def _explained(column: Column, language: Language) -> tuple[str, str, str]:
    is_required = column.required and not column.blank
    return _heading(column, language), _REQUIRED[language][is_required], _advice(column, language)


def _advice(column: Column, language: Language) -> str:
    """Say what to write, from what the parser takes and from the column's own note."""
    said = getattr(_taken(column.parse.form, language), language)
    return f"{said}；{column.note.zh}" if column.note and language == "zh" else (
        f"{said}; {column.note.en}" if column.note else said
    )  # fmt: skip


def _taken(form: Form, language: Language) -> Title:
    if form.kind == "text":
        return Title(zh=f"文字，最多 {form.maximum} 个字", en=f"text of at most {form.maximum} characters")
    if form.kind == "whole":
        return Title(
            zh=f"{form.minimum} 到 {form.maximum} 的整数", en=f"a whole number from {form.minimum} to {form.maximum}"
        )
    if form.kind == "choice":
        choices = " | ".join(_choices(form, language))
        return Title(zh=f"选择：{choices}", en=f"one of: {choices}")
    shape = DATE_FORM if form.kind == "date" else INSTANT_FORM
    return Title(zh=f"写成 {shape}", en=f"write {shape}")


def _choices(form: Form, language: Language) -> list[str]:
    """Return the names in a language; all of them, if it has none of its own."""
    own = [name for name in form.choices if name.isascii() == (language == "en")]
    return own or list(form.choices)


def _check(column: Column, language: Language) -> dict[str, object]:
    """Describe the check that a spreadsheet makes while one types. An instant may also be written with its offset."""
    form = column.parse.form
    check: dict[str, object] = {
        "ignore_blank": column.blank,
        "input_title": _heading(column, language)[:_TITLE_CHARS],
        "input_message": _advice(column, language)[:_MESSAGE_CHARS],
        "error_message": _advice(column, language)[:_MESSAGE_CHARS],
        "error_type": "warning" if form.kind == "instant" else "stop",
    }
    if form.kind == "choice":
        return check | {"validate": "list", "source": _choices(form, language)}
    between: dict[str, object] = {"criteria": "between", "minimum": form.minimum, "maximum": form.maximum}
    if form.kind in {"date", "instant"}:
        first, last = date(form.minimum, 1, 1), date(form.maximum, 12, 31)
        if form.kind == "instant":
            first, last = datetime(form.minimum, 1, 1), datetime(form.maximum, 12, 31)  # noqa: DTZ001  A cell has no zone.
        between |= {"minimum": first, "maximum": last}
    return check | between | {"validate": {"text": "length", "whole": "integer"}.get(form.kind, "date")}
