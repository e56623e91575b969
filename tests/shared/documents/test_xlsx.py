"""Reading workbooks: what Excel makes of a cell, formulas, hidden sheets, bombs, and what is no workbook at all."""

import io
import re
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from shared.documents.refusals import (
    EmptySheet,
    NotASheet,
    TooManyColumns,
    TooManyRows,
    UnpacksTooLarge,
    WrongHeaders,
)
from shared.documents.uploads import Limits
from shared.errors import Refusal
from tests.shared.documents.files import HEADER, codes, make_xlsx, read_xlsx, with_cells, with_parts

GOOD = make_xlsx(HEADER, ("000123", 60))
SHEET = "xl/worksheets/sheet1.xml"
NINE = datetime(2022, 3, 4, 9, 30)  # noqa: DTZ001  As a spreadsheet's cell is.
SMALL = Limits(max_rows=4, max_columns=4)


def fill_dates(book: Workbook, page: Any) -> None:
    """Write an instant and a date as cells, below a header at C3."""
    page.write_row(2, 2, HEADER)
    page.write_row(4, 2, (12, 60.0))
    page.write_datetime(4, 4, NINE, book.add_format({"num_format": "yyyy/m/d h:mm"}))
    page.write_datetime(4, 5, NINE.replace(hour=0, minute=0), book.add_format({"num_format": "yyyy-mm-dd"}))
    page.write_blank(900_000, 300, None, book.add_format({"bold": True}))


def test_cells_are_what_was_typed() -> None:
    """Floats, dates and a table that does not begin at A1; styled empty cells are nothing."""
    row = read_xlsx(make_xlsx(fill=fill_dates)).rows[0]
    assert row.number == 5
    assert row.values == {
        "employee_number": "12",
        "minutes": 60,
        "starts_at": datetime(2022, 3, 4, 1, 30, tzinfo=UTC),
        "on": date(2022, 3, 4),
        "evidence": None,
    }


def fill_midnights(book: Workbook, page: Any) -> None:
    """Write a midnight that shows its 00:00, in a custom and a built-in format, and one that does not."""
    midnight = NINE.replace(hour=0, minute=0)
    for row, shown in enumerate(("yyyy-mm-dd hh:mm", 22, 14, 'yyyy"h"'), start=1):
        page.write_datetime(row, 2, midnight, book.add_format({"num_format": shown}))
        page.write_datetime(row, 3, midnight, book.add_format({"num_format": shown}))


def test_a_midnight_is_an_instant_where_the_cell_shows_it() -> None:
    """A shift may end at 00:00, and a time of day may have been forgotten; the reader makes a date of both."""
    sheet = read_xlsx(make_xlsx(HEADER, *[("a", 60)] * 4, fill=fill_midnights))
    assert [row.values["starts_at"] for row in sheet.rows] == [datetime(2022, 3, 3, 16, tzinfo=UTC)] * 2
    assert [row.values["on"] for row in sheet.rows] == [date(2022, 3, 4)] * 2
    assert codes(sheet) == [(row, f"C{row}", "not_an_instant", "2022-03-04") for row in (4, 5)]


def fill_formulas(_: Workbook, page: Any) -> None:
    """Write formulas that have a result, none, a failed one, and one for several cells."""
    page.write_formula(1, 0, '="a"', None, "a")
    page.write_formula(2, 1, "=30+30", None, 60)
    page.write_formula(3, 4, '=""', None, "")
    page.write_formula(4, 7, "=1/0", None, "#DIV/0!")
    page.write_array_formula("B6:B7", "{=A1:A2*1}", None, 60)


def test_formulas_are_errors_by_row_and_column_never_their_last_result() -> None:
    """A formula's last result may have been computed from anything, and from nothing."""
    rows = [("a", 60)] * 7
    sheet = read_xlsx(make_xlsx(HEADER, *rows, fill=fill_formulas))
    assert codes(sheet) == [
        (2, "A2", "formula", '="a"'),
        (3, "B3", "formula", "=30+30"),
        (4, "E4", "formula", '=""'),
        (5, "H5", "too_many_cells", "=1/0"),
        (6, "B6", "formula", "=A1:A2*1"),
        (7, "B7", "formula", "="),
    ]
    assert [row.number for row in sheet.rows] == [8]


def test_a_formula_alone_in_its_row_is_still_an_error() -> None:
    """A formula that was never computed has no value, but it is there."""
    cells = '<row r="1">{}</row><row r="9"><c r="B9"><f>1+1</f></c></row>'
    header = "".join(f'<c t="inlineStr"><is><t>{title}</t></is></c>' for title in HEADER)
    sheet = read_xlsx(with_cells(f"<sheetData>{cells.format(header)}</sheetData>"))
    assert codes(sheet) == [(9, "A9", "blank", ""), (9, "B9", "formula", "=1+1")]


def test_a_pasted_failure_is_an_error_not_an_empty_cell() -> None:
    """The reader of workbooks returns nothing for #N/A."""
    cells = '<row r="1">{}</row><row r="2"><c><v>7</v></c><c><v>60</v></c><c/><c/><c t="e"><v>#N/A</v></c></row>'
    header = "".join(f'<c t="inlineStr"><is><t>{title}</t></is></c>' for title in HEADER)
    sheet = read_xlsx(with_cells(f"<sheetData>{cells.format(header)}</sheetData>"))
    assert codes(sheet) == [(2, "E2", "error_value", "#N/A")]


def test_the_first_visible_sheet_is_read() -> None:
    """Templates keep their lists in hidden sheets."""

    def fill(book: Workbook, page: Any) -> None:
        page.hide()
        chosen = book.add_worksheet("导入")
        chosen.write_row(0, 0, HEADER)
        chosen.write_row(1, 0, ("a", 60))
        chosen.activate()
        chosen.set_first_sheet()

    assert read_xlsx(make_xlsx(("hidden",), fill=fill)).rows[0].values["minutes"] == 60


def test_long_shared_texts_do_not_multiply() -> None:
    """A workbook keeps a text once; in memory each of its cells would hold it."""
    text = "x" * 1000
    content = make_xlsx(HEADER, *[(text, 60)] * 100)
    assert len(read_xlsx(content, limits=Limits(max_unpacked_bytes=120_000)).rejected) == 100
    with pytest.raises(UnpacksTooLarge):
        read_xlsx(content, limits=Limits(max_unpacked_bytes=90_000))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """200 MB of spaces pack into 200 kB."""
    bomb = with_parts(GOOD, {SHEET: b"<worksheet>" + b" " * 20_000_000 + b"</worksheet>"})
    with pytest.raises(UnpacksTooLarge) as refused:
        read_xlsx(bomb)
    assert refused.value.facts == {"max_bytes": 256 * 1024 * 1024, "max_ratio": 100}


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    """The directory of a zip says what its maker wants; only what was counted here is believed."""
    bomb = bytearray(with_parts(GOOD, {SHEET: b"<worksheet>" + b" " * 20_000_000 + b"</worksheet>"}))
    with zipfile.ZipFile(io.BytesIO(bytes(bomb))) as source:
        honest = source.getinfo(SHEET).file_size.to_bytes(4, "little")
    with pytest.raises(NotASheet):
        read_xlsx(bytes(bomb).replace(honest, (100).to_bytes(4, "little")))


def test_unpacked_size_is_limited_on_both_sides() -> None:
    """The limit itself is taken."""
    names = ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET)
    with zipfile.ZipFile(io.BytesIO(GOOD)) as source:
        size = sum(source.getinfo(name).file_size for name in (*names, "xl/sharedStrings.xml", "xl/styles.xml"))
    assert read_xlsx(GOOD, limits=Limits(max_unpacked_bytes=size)).rows
    with pytest.raises(UnpacksTooLarge):
        read_xlsx(GOOD, limits=Limits(max_unpacked_bytes=size - 1))


def test_rows_and_columns_are_limited_before_loading() -> None:
    """A value in the last corner would have 17 thousand million cells allotted."""
    limits = Limits(max_rows=2, max_columns=5)
    assert len(read_xlsx(make_xlsx(HEADER, ("a", 1), ("b", 1)), limits=limits).rows) == 2
    with pytest.raises(TooManyRows):
        read_xlsx(make_xlsx(HEADER, ("a", 1), ("b", 1), ("c", 1)), limits=limits)
    with pytest.raises(TooManyColumns):
        read_xlsx(make_xlsx((*HEADER, "x"), ("a", 1)), limits=limits)
    for corner, refusal in (((1_048_575, 0), TooManyRows), ((1, 16_383), TooManyColumns)):
        far = make_xlsx(HEADER, fill=lambda _, page, corner=corner: page.write(*corner, 1))  # type: ignore[misc]  # Bound early.
        with pytest.raises(refusal):
            read_xlsx(far)


@pytest.mark.parametrize("rows", [(), (HEADER,)])
def test_empty_workbooks_are_refused(rows: tuple[tuple[str, ...], ...]) -> None:
    """An import of nothing is a mistake."""
    with pytest.raises(EmptySheet) as refused:
        read_xlsx(make_xlsx(*rows))
    assert refused.value.facts == {"missing": "rows" if rows else "header"}


def test_a_formula_is_no_heading() -> None:
    """What a heading says may not depend on other cells."""
    with pytest.raises(WrongHeaders) as refused:
        read_xlsx(make_xlsx(HEADER, ("a", 60), fill=lambda _, page: page.write_formula(0, 1, '="分钟"', None, "分钟")))
    assert refused.value.facts["unknown"] == ['="分钟"']


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7", "pdf"),
        (b"\x89PNG\r\n", "png"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls, or a workbook with a password"),
        ("员工编号,分钟\n".encode(), "unknown"),
        (b"", "unknown"),
        (GOOD[: len(GOOD) // 2], "zip"),
        (GOOD[:-30], "zip"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, found: str) -> None:
    """Renaming a file does not make it a workbook."""
    with pytest.raises(NotASheet) as refused:
        read_xlsx(content)
    assert refused.value.facts == {"expected": "xlsx", "found": found}


BAD_SHEETS = [
    "<sheetData>",
    '<sheetData><row r="0"><c><v>1</v></c></row></sheetData>',
    '<sheetData><row r="1"><c r="$A$1"><v>1</v></c></row></sheetData>',
    '<sheetData><row r="1"><c r="A99999999999"><v>1</v></c></row></sheetData>',
    '<sheetData><row r="1"><c t="s"><v>999</v></c></row></sheetData>',
    '<sheetData><row r="1"><c t="s"><v>-1</v></c></row></sheetData>',
    '<sheetData><row r="1"><c t="b"><v>7</v></c></row></sheetData>',
]


@pytest.mark.parametrize("cells", BAD_SHEETS)
def test_damaged_sheets_are_refused(cells: str) -> None:
    """What the reader of workbooks would guess at is refused."""
    with pytest.raises(NotASheet):
        read_xlsx(with_cells(cells))


def test_formulas_for_several_cells_are_limited() -> None:
    """Each is short, and would mark every cell of its range over again."""
    spreading = '<c r="A1"><f t="array" ref="{}">1</f><v>1</v></c>'
    with pytest.raises(UnpacksTooLarge):
        read_xlsx(with_cells(f'<sheetData><row r="1">{spreading.format("A1:B2") * 5}</row></sheetData>'), limits=SMALL)
    with pytest.raises(TooManyRows):
        read_xlsx(with_cells(f'<sheetData><row r="1">{spreading.format("A1:A1048576")}</row></sheetData>'))
    with pytest.raises(WrongHeaders):
        read_xlsx(with_cells(f'<sheetData><row r="1">{spreading.format("everywhere")}</row></sheetData>'))


def test_a_document_type_is_refused() -> None:
    """Entities can grow without bound."""
    sheet = '<!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>'
    with pytest.raises(NotASheet):
        read_xlsx(with_parts(GOOD, {SHEET: sheet}))


def test_a_part_that_is_there_twice_is_refused() -> None:
    """Two readers of a zip may not agree which of the two counts."""
    twice = io.BytesIO(GOOD)
    with zipfile.ZipFile(twice, "a") as target:
        target.writestr(SHEET.upper(), "<worksheet/>")
    with pytest.raises(NotASheet):
        read_xlsx(twice.getvalue())


def test_an_instant_outside_the_calendar_does_not_end_the_process() -> None:
    """The reader panics on it, which is no Exception."""
    content = make_xlsx(HEADER, ("a", 60), fill=fill_dates)
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        sheet = source.read(SHEET).decode()
    broken = re.sub(r'(<c r="E5" s="\d+"><v>)[^<]+', r"\g<1>-1e300", sheet)
    assert broken != sheet
    with pytest.raises(NotASheet) as refused:
        read_xlsx(with_parts(content, {SHEET: broken}))
    assert refused.value.facts["found"] == "xlsx with an impossible value"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04"]))
def test_garbage_is_refused_and_nothing_else(content: bytes, start: bytes) -> None:
    """Whatever is sent, the answer is a refusal."""
    with pytest.raises(Refusal):
        read_xlsx(start + content)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_zip_is_read_or_refused(place: int, damage: bytes) -> None:
    """Some damage is in parts that nobody reads; all other damage is told."""
    try:
        read_xlsx(GOOD[:place] + damage + GOOD[place + len(damage) :])
    except Refusal:
        return


PARTS = ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", SHEET]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(PARTS), st.integers(0, 1500), st.sampled_from(["", "9", "-", "x", "<", '"', "99999999", "e9"]))
def test_damaged_xml_is_read_or_refused(part: str, place: int, damage: str) -> None:
    """The same for what is inside the zip."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as source:
        markup = source.read(part).decode()
    try:
        read_xlsx(with_parts(GOOD, {part: markup[:place] + damage + markup[place + 1 :]}, level=zipfile.ZIP_STORED))
    except Refusal:
        return
