"""Parsers of dates and instants. What is written without an offset is local to the zone that the caller names.

An hour that the clocks skip or repeat is refused, never guessed: a guess would move somebody's service by an hour.
Written with an offset, as 2022-11-06T01:30-07:00, it is taken.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shared.documents.cells import BadCell, Cell, Form, Parser
from shared.errors import Title

INSTANT_FORM: Final = "YYYY-MM-DD HH:MM"
DATE_FORM: Final = "YYYY-MM-DD"
_YEARS: Final = range(1900, 2200)  # A spreadsheet's dates begin in 1900; what is later than 2199 is a slip.
_REMEMBERED: Final = 8192  # Shifts repeat: most rows of an import share their instants with others.
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")
_INSTANT = re.compile(
    _DATE.pattern + r"(?:T| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)

_WRITE_INSTANT = Title(
    zh=f"请写成 {INSTANT_FORM}，例如 2022-03-04 09:30，零点也要写出 00:00",
    en=f"Write {INSTANT_FORM}, as 2022-03-04 09:30; midnight too needs its 00:00",
)
_WRITE_DATE = Title(zh=f"请写成 {DATE_FORM}，例如 2022-03-04", en=f"Write {DATE_FORM}, as 2022-03-04")
_WRITE_YEAR = Title(zh="请检查年份", en="Check the year")
_WRITE_OFFSET = Title(
    zh="当天夏令时切换，该时刻不存在或出现两次；请写明时差，例如 2022-11-06T01:30-07:00",
    en="The clocks change then: that time does not exist or comes twice. Write its offset, as 2022-11-06T01:30-07:00",
)


def local_date() -> Parser:
    """Make the parser of a local date: a date cell or `YYYY-MM-DD`, `YYYY/M/D`. A time of day beside it is refused."""

    def parse(cell: Cell) -> date:
        found = _local_date(cell)
        if found is None:
            raise BadCell("not_a_date", expected=DATE_FORM, fix=_WRITE_DATE)
        if found.year not in _YEARS:
            raise BadCell("out_of_range", expected=f"{_YEARS[0]}…{_YEARS[-1]}", fix=_WRITE_YEAR)
        return found

    return Parser(parse, Form("date", minimum=_YEARS[0], maximum=_YEARS[-1]))


def _local_date(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time.min else None
    if isinstance(cell, date):
        return cell
    shape = _DATE.fullmatch(unicodedata.normalize("NFKC", cell)) if isinstance(cell, str) else None
    if shape is None:
        return None
    year, _, month, day = shape.groups()
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def local_instant(zone: ZoneInfo) -> Parser:
    """Make the parser of an instant in UTC: a cell with a date and a time, or one of the written forms.

    Written it is `YYYY-MM-DD HH:MM[:SS]`, `YYYY/M/D H:MM` or ISO with a T, each with an offset or without. Parts of a
    second are rounded away. What shows no time of day is refused: one forgotten is likelier than midnight.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def parse(cell: Cell) -> datetime:
        found = cell if isinstance(cell, datetime) else _written_instant(cell)
        if found is None:
            raise BadCell("not_an_instant", expected=INSTANT_FORM, fix=_WRITE_INSTANT)
        if found.year not in _YEARS:
            raise BadCell("out_of_range", expected=f"{_YEARS[0]}…{_YEARS[-1]}", fix=_WRITE_YEAR)
        if found.microsecond:
            found = (found + timedelta(milliseconds=500)).replace(microsecond=0)
        return found.astimezone(UTC) if found.tzinfo else _in_zone(found, zone)

    return Parser(parse, Form("instant", minimum=_YEARS[0], maximum=_YEARS[-1]))


def _written_instant(cell: Cell) -> datetime | None:
    shape = _INSTANT.fullmatch(unicodedata.normalize("NFKC", cell)) if isinstance(cell, str) else None
    if shape is None:
        return None
    year, _, month, day, hour, minute, second, offset = shape.groups()
    try:
        return datetime.fromisoformat(
            f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{second or '00'}{offset or ''}"
        )
    except ValueError:
        return None


def _in_zone(naive: datetime, zone: ZoneInfo) -> datetime:
    """Find the one instant that a local time stands for. Raises BadCell when there is none, or two."""
    local = naive.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        exists = instant.astimezone(zone).replace(tzinfo=None) == naive
        code = "ambiguous_local_time" if exists else "nonexistent_local_time"
        raise BadCell(code, expected=f"{INSTANT_FORM}±HH:MM", fix=_WRITE_OFFSET)
    return instant
