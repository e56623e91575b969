"""What one cell may hold, and the parsers that turn it into a value or say what is wrong with it.

Spreadsheets turn numbers into floats, text into formulas and identifiers into dates (PITFALLS H6): each parser names
what it takes, and refuses the rest with a code, what was expected and how to mend it. Nothing is guessed.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, TypeVar

from shared.errors import Title

Cell = str | float | bool | date | time | timedelta  # An int is a float to mypy, a datetime a date.
T = TypeVar("T")

EXACT_FLOAT: Final = 10**15  # A spreadsheet keeps 15 digits; what had more has been changed already.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HIDDEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NUMBER = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{1,9}))?")
_START = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # Of a formula; some programs take the full-width forms for it, too.
_RISKY = re.compile(f"'*{_START}")
_PROTECTED = re.compile(f"'+{_START}")
SUSPECT: Final = frozenset("=@'#")  # Only text that starts with one of these needs `plain`.
_FAULTS = frozenset(
    ["#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#CONNECT!"]
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a column takes, as a template says it: its bounds (characters or numbers), or the `choices` by name."""

    kind: Literal["text", "whole", "choice", "date", "instant"]
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parser:
    """Turns a cell into a value, or raises BadCell; its `form` says what it takes."""

    run: Callable[[Cell], object]
    form: Form

    def __call__(self, cell: Cell) -> object:
        """Parse a cell. Raises BadCell."""
        return self.run(cell)


class BadCell(Exception):
    """A cell does not hold what its column takes: a stable `code`, what was `expected`, and the `fix` for a person."""

    def __init__(self, code: str, *, expected: str, fix: Title) -> None:
        super().__init__(code)
        self.code, self.expected, self.fix = code, expected, fix


def fold(text: str) -> str:
    """Fold full-width forms, case and outer space away, so that "Id" and " ID " compare equal."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def as_text(cell: Cell) -> str:
    """Write a cell as a person sees it: 12.0 is 12, an instant has no seconds unless it has some."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime | time):
        return str(cell.replace(microsecond=0)).removesuffix("" if cell.second else ":00")
    return str(cell)


def protect(text: str) -> str:
    """Mark text that a spreadsheet would run as a formula; plain numbers stay. `unprotect` takes the mark off again."""
    return f"'{text}" if _RISKY.match(text) and not _NUMBER.fullmatch(text) else text


def unprotect(text: str) -> str:
    """Take the mark of `protect` off, if it is there."""
    return text[1:] if _PROTECTED.match(text) else text


def plain(text: str) -> str:
    """Trim text, take off the mark of `protect`, and refuse what stands for a formula or a failed one in any column."""
    text = unprotect(text.lstrip()).strip()
    if text.startswith(("=", "@")):
        raise a_formula()
    if text in _FAULTS:
        fix = Title(
            zh="单元格是公式错误值，请填写实际内容", en="The cell holds a failed formula: write the value itself"
        )
        raise BadCell("error_value", expected="…", fix=fix)
    return text


def a_formula() -> BadCell:
    """Make the objection to a formula: its result may have been computed from anything."""
    fix = Title(
        zh="请把公式粘贴为数值；文字不要以 = + - @ 开头",
        en="Paste the formula's result as a value; do not start text with = + - @",
    )
    return BadCell("formula", expected="…", fix=fix)


def text(*, max_length: int) -> Parser:
    """Make the parser of a text of at most `max_length` characters; a whole number counts as its digits (12.0 is "12").

    Text that starts with + or - is a formula unless it is a plain number, as +8613800000000 is.
    """
    too_long = Title(zh=f"请缩短到 {max_length} 个字以内", en=f"Shorten it to at most {max_length} characters")

    def parse(cell: Cell) -> str:
        value = cell if isinstance(cell, str) else _digits(cell)
        if value[0] in "+-" and not _NUMBER.fullmatch(value):
            raise a_formula()
        if not value.isprintable():
            _require_plain(value)
        if len(value) > max_length:
            raise BadCell("too_long", expected=f"≤ {max_length}", fix=too_long)
        return value

    return Parser(parse, Form("text", minimum=1, maximum=max_length))


def _require_plain(value: str) -> None:
    """Refuse what nobody sees: control characters, and marks that hide or turn the text around them (U+202E)."""
    if _CONTROL.search(value):
        raise _not_text()
    if _HIDDEN.search(value):
        fix = Title(
            zh="含有看不见的字符（如文字方向标记），请重新手工输入",
            en="There are invisible characters, such as direction marks: type the text again by hand",
        )
        raise BadCell("hidden_characters", expected="ABC 中文 000123", fix=fix)


def _digits(cell: Cell) -> str:
    """Write a number as the text it was meant to be; dates, truth values and shortened numbers were something else."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not abs(cell) < EXACT_FLOAT:
        raise _not_text()
    return as_text(cell)


def _not_text() -> BadCell:
    fix = Title(
        zh="请把单元格格式设为文本后重新填写，不含控制字符",
        en="Format the cell as text and write it again, without control characters",
    )
    return BadCell("not_text", expected="ABC 中文 000123", fix=fix)


def whole_number(*, minimum: int, maximum: int) -> Parser:
    """Make the parser of an integer from `minimum` to `maximum`, both included; 12.0 is 12, 12.5 is refused."""
    expected = f"{minimum}…{maximum}"
    bounds = Title(zh=f"请填写 {minimum} 到 {maximum} 的整数", en=f"Write a whole number from {minimum} to {maximum}")

    def parse(cell: Cell) -> int:
        number = _number(cell, expected=expected, fix=bounds)
        if number != int(number):
            raise BadCell("not_whole", expected=expected, fix=bounds)
        if not minimum <= number <= maximum:
            raise BadCell("out_of_range", expected=expected, fix=bounds)
        return int(number)

    return Parser(parse, Form("whole", minimum=minimum, maximum=maximum))


def _number(cell: Cell, *, expected: str, fix: Title) -> float:
    """Read a number. A fraction only has to be seen, not kept: as a float it is any value that is not whole."""
    if isinstance(cell, str):
        found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", cell))
        if found:
            sign, whole, fraction = found.groups()
            value = int(sign + whole)
            return value + 0.5 if fraction and fraction.strip("0") else value
    elif isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < float("inf"):
        return cell
    raise BadCell("not_a_number", expected=expected, fix=fix)


def one_of(choices: Mapping[str, T]) -> Parser:
    """Make the parser of a choice by its name in either language, compared as headings are (see `fold`)."""
    by_name = {fold(name): value for name, value in choices.items()}
    expected = " | ".join(choices)
    fix = Title(zh=f"请从中选择：{expected}", en=f"Choose one of: {expected}")

    def parse(cell: Cell) -> T:
        name = fold(as_text(cell))
        if name not in by_name:
            raise BadCell("unknown_choice", expected=expected, fix=fix)
        return by_name[name]

    return Parser(parse, Form("choice", choices=tuple(choices)))
