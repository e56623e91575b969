"""Reading CSV: encodings, delimiters, quotes, ragged rows, and what is no CSV at all."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.cells import protect, text
from shared.documents.columns import Column
from shared.documents.refusals import (
    BrokenQuotes,
    CellTooLong,
    EmptySheet,
    NotASheet,
    TooManyColumns,
    TooManyRows,
    WrongHeaders,
)
from shared.documents.sheets import read_sheet
from shared.documents.uploads import Limits
from shared.errors import Refusal
from tests.shared.documents.files import COLUMNS, codes, read_csv

TABLE = "员工编号,分钟\n000123,60\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_encodings_of_excel_are_found(encoding: str) -> None:
    """Excel in China writes GB18030 and needs a mark to see UTF-8."""
    sheet = read_csv("员工编号,分钟,证据\n000123,60,扫码\n".encode(encoding))
    assert sheet.rows[0].values == {
        "employee_number": "000123",
        "minutes": 60,
        "starts_at": None,
        "on": None,
        "evidence": "scanned",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(delimiter: str, end: str) -> None:
    """A spreadsheet chooses by the country it runs in."""
    rows = [("员工编号", "分钟"), ("a,b;c", "60"), ("", ""), ("x", "61")]
    content = end.join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert [(row.number, row.values["employee_number"]) for row in read_csv(content).rows] == [(2, "a,b;c"), (4, "x")]


def test_rows_are_numbered_as_excel_shows_them() -> None:
    """Line breaks in quotes are inside a row; blank rows and rows above the header count."""
    sheet = read_csv('\n\n员工编号,分钟\n"a\nb",60\n\n , \nc,999\n')
    assert [row.number for row in sheet.rows] == [4]
    assert codes(sheet) == [(7, "B7", "out_of_range", "999")]


def test_ragged_rows_are_errors_of_their_row() -> None:
    """A value that stands under no heading is not lost."""
    sheet = read_csv("员工编号,,分钟,,\na,,60,,,\nb,,60,,,x\nc,x,60\nd\n")
    assert [row.values["employee_number"] for row in sheet.rows] == ["a"]
    assert codes(sheet) == [
        (3, "F3", "too_many_cells", "x"),
        (4, "B4", "too_many_cells", "x"),
        (5, "C5", "blank", ""),
    ]


def test_all_errors_of_a_row_are_told_at_once() -> None:
    """Somebody who mends a row mends it once; what was found is cut short."""
    sheet = read_csv(f"员工编号,分钟,开始\n{'x' * 81},abc,2022-13-40\n=1+1,60,\n")
    assert codes(sheet) == [
        (2, "A2", "too_long", "x" * 79 + "…"),
        (2, "B2", "not_a_number", "abc"),
        (2, "C2", "not_an_instant", "2022-13-40"),
        (3, "A3", "formula", "=1+1"),
    ]
    assert [error.column for error in sheet.rejected[0].errors] == ["员工编号", "分钟", "开始"]


@pytest.mark.parametrize(
    ("header", "facts"),
    [
        ("员工编号", {"missing": ["分钟"]}),
        ("员工编号,分钟,证椐", {"unknown": ["证椐"]}),
        ("员工编号,分钟,employee_number", {"repeated": ["员工编号"]}),
    ],
)
def test_wrong_headers_are_refused(header: str, facts: dict[str, list[str]]) -> None:
    """A misspelt optional column must not be lost without a word."""
    with pytest.raises(WrongHeaders) as refused:
        read_csv(f"{header}\na,60,c\n")
    nothing: dict[str, list[str]] = {"missing": [], "unknown": [], "repeated": []}
    assert refused.value.facts == nothing | facts | {"expected": [column.titles[0] for column in COLUMNS]}


def test_headers_are_compared_folded_and_errors_columns_passed_over() -> None:
    """Width, case and space are no differences, and a reject file is sent again as it is."""
    sheet = read_csv(" \uff25MPLOYEE_number ,错误 errors,MINUTES,\na,anything,60,\n")
    assert sheet.rows[0].values["minutes"] == 60


@pytest.mark.parametrize(
    ("content", "missing"),
    [(b"", "header"), (b"\n , \n", "header"), (TABLE.encode()[:20], "rows"), (b"\xef\xbb\xbf", "header")],
)
def test_empty_sheets_are_refused(content: bytes, missing: str) -> None:
    """An import of nothing is a mistake."""
    with pytest.raises(EmptySheet) as refused:
        read_csv(content)
    assert refused.value.facts == {"missing": missing}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7", "pdf"),
        (b"\x89PNG\r\n", "png"),
        (b"PK\x03\x04", "zip or xlsx"),
        (TABLE.encode("utf-16"), "utf-16"),
        (b"a\0b", "unknown"),
        (TABLE.encode() + b"caf\xe9", "damaged utf-8"),
        (b"\xef\xbb\xbf\xff", "damaged utf-8"),
        (b"\xb9\xa4\x01", "neither utf-8 nor gb18030"),
        (b"\xff\xb9\xa4", "neither utf-8 nor gb18030"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, found: str) -> None:
    """Damaged UTF-8 is never taken for other Chinese characters."""
    with pytest.raises(NotASheet) as refused:
        read_csv(content)
    assert refused.value.facts == {"expected": "csv", "found": found}


def test_the_ending_decides_what_a_file_has_to_be() -> None:
    """A name with another ending is refused, whatever it holds."""
    with pytest.raises(NotASheet):
        read_sheet(io.BytesIO(TABLE.encode()), filename="a.xls", columns=COLUMNS)


@pytest.mark.parametrize("row", ['"a,60', '"a"b,60'])
def test_quotes_that_do_not_pair_up_are_refused(row: str) -> None:
    """An open quote would swallow all the rows below it."""
    with pytest.raises(BrokenQuotes) as refused:
        read_csv(f"{TABLE}{row}\nc,60\n")
    assert refused.value.facts == {"row": 3}


def test_rows_and_columns_are_limited() -> None:
    """Each limit is taken, one more is not."""
    limits = Limits(max_rows=2, max_columns=3)
    assert len(read_csv("员工编号,分钟,证据,\na,1,\nb,1,\n", limits=limits).rows) == 2
    with pytest.raises(TooManyRows) as rows:
        read_csv("员工编号,分钟\na,1\n\nc,1\n", limits=limits)
    assert rows.value.facts == {"max_rows": 2}
    with pytest.raises(TooManyColumns) as columns:
        read_csv("员工编号,分钟,证据,开始\n", limits=limits)
    assert columns.value.facts == {"max_columns": 3}


WRITTEN = st.text(alphabet=st.sampled_from("中文ab,;\t\"'\n\r =+-@#1"), max_size=12)


@given(st.lists(st.tuples(WRITTEN, WRITTEN), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_what_was_written_is_what_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    """Every value comes back as written, or is told as a formula; none is lost or moved."""
    columns = [Column(name, (name,), text(max_length=99), blank=True) for name in ("a", "b")]
    content = io.StringIO(newline="")
    lines = [("a", "b"), *rows, ("end", "")]
    csv.writer(content, delimiter=delimiter).writerows([protect(cell) for cell in line] for line in lines)
    sheet = read_csv(content.getvalue(), columns=columns)
    told = {error.cell for row in sheet.rejected for error in row.errors if error.code == "formula"}
    read = {f"{cell}{row.number}": row.values[name] for row in sheet.rows for cell, name in (("A", "a"), ("B", "b"))}
    lost = {row.number for row in sheet.rejected}
    for number, line in enumerate(lines[1:], start=2):
        for cell, value in zip("AB", line, strict=True):
            place, meant = f"{cell}{number}", value.strip()
            if number in lost:
                assert place not in told or meant.lstrip("'").strip()[0] in "=+-@"
            else:
                assert (read.get(place) or "") == meant


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else(content: bytes) -> None:
    """Whatever is sent, the answer is a refusal."""
    with pytest.raises(Refusal):
        read_csv(content)


@pytest.mark.parametrize("cell", ["x" * 10_000_000, '"' + "x,\n" * 3_000_000])
def test_one_endless_cell_is_refused_whole(cell: str) -> None:
    """Ten megabytes in a cell, or all the rows below a quotation mark."""
    with pytest.raises(CellTooLong) as refused:
        read_csv(f"{TABLE}{cell},60\nc,60\n")
    assert refused.value.facts == {"row": 3, "max_characters": 131_072}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("length", [64 * 1024 - 1, 256 * 1024 - 2, 256 * 1024 - 1, 256 * 1024])
def test_characters_across_the_pieces_of_a_file_are_whole(encoding: str, length: int) -> None:
    """A file is read piece by piece; no character is cut in two."""
    start = f"{TABLE}".encode(encoding)
    lines, rest = divmod(length - len(start), 100)
    filler = (b" " * 99 + b"\n") * lines + b"\n" * rest
    sheet = read_csv(start + filler + "中文𠮷,60\n".encode(encoding.removesuffix("-sig")))
    assert sheet.rows[-1].values["employee_number"] == "中文𠮷"
