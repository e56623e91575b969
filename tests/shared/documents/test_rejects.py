"""Reject files: they tell what is wrong, run nothing, and come back mended."""

import io

import pytest
from python_calamine import load_workbook

from shared.documents.cells import BadCell
from shared.documents.rejects import write_rejects
from shared.documents.sheets import CellError, Sheet
from shared.errors import Title
from tests.shared.documents.files import HEADER, codes, make_xlsx, read_csv, read_xlsx

CSV = "员工编号,分钟,开始\n000123,60,\n=cmd,abc,2022-13-40\n000124,-5,\n"


def table(content: bytes) -> list[list[object]]:
    with load_workbook(io.BytesIO(content)) as book:
        return [list(row) for row in book.get_sheet_by_index(0).to_python()]


def test_a_csv_comes_back_with_its_errors_and_nothing_to_run() -> None:
    """Good rows are not in it; Chinese shows in Excel; no cell starts a formula."""
    lines = write_rejects(read_csv(CSV)).decode("utf-8-sig").split("\r\n")
    assert write_rejects(read_csv(CSV)).startswith(b"\xef\xbb\xbf")
    assert lines[0] == "员工编号,分钟,开始,错误 Errors"
    assert lines[1].startswith("'=cmd,abc,2022-13-40,\"员工编号: 请把公式")
    assert lines[2] == "000124,-5,,分钟: 请填写 1 到 480 的整数 / Write a whole number from 1 to 480"


def test_sent_again_as_it_is_it_is_refused_again_and_mended_it_is_read() -> None:
    """A person mends what is marked, and nothing else."""
    first = write_rejects(read_csv(CSV))
    again = read_csv(first)
    assert codes(again) == [
        (2, "A2", "formula", "'=cmd"),
        (2, "B2", "not_a_number", "abc"),
        (2, "C2", "not_an_instant", "2022-13-40"),
        (3, "B3", "out_of_range", "-5"),
    ]
    assert write_rejects(again) == first
    mended = first.decode()
    for wrong, right in (("'=cmd", "cmd"), ("abc", "60"), ("2022-13-40", "2022-03-04 09:30"), ("-5", "5")):
        mended = mended.replace(wrong, right, 1)
    sheet = read_csv(mended)
    assert not sheet.rejected
    assert [row.values["employee_number"] for row in sheet.rows] == ["cmd", "000124"]


def test_a_workbook_comes_back_as_text() -> None:
    """Formulas are shown as what they were, numbers without a point, and nothing is run."""
    content = make_xlsx(
        HEADER, ("000123", 481), (124, 60), fill=lambda _, page: page.write_formula(2, 1, "=30+30", None, 60)
    )
    written = write_rejects(read_xlsx(content))
    rows = table(written)
    assert rows[0] == [*HEADER, "错误 Errors"]
    assert [row[:2] for row in rows[1:]] == [["000123", "481"], ["124", "=30+30"]]
    assert codes(read_xlsx(written)) == [(2, "B2", "out_of_range", "481"), (3, "B3", "formula", "=30+30")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_stands_under_no_heading_is_kept_behind_the_errors(kind: str) -> None:
    """Nothing that somebody wrote is lost on the way back."""
    rows = [(*HEADER, "", ""), ("a", 60, "", "", "", "", "stray")]
    sheet = (
        read_csv("\n".join(",".join(map(str, row)) for row in rows)) if kind == "csv" else read_xlsx(make_xlsx(*rows))
    )
    written = write_rejects(sheet)
    again = read_csv(written) if kind == "csv" else read_xlsx(written)
    assert [error.code for row in again.rejected for error in row.errors] == ["too_many_cells"]


def reject_first(sheet: Sheet) -> list[CellError]:
    unknown = BadCell("unknown_employee", expected="", fix=Title(zh="查无此人", en="No such employee"))
    return sheet.reject(sheet.rows[0], {"employee_number": unknown}).errors


def test_rows_that_the_callers_rules_reject_join_the_others_in_order() -> None:
    """A person gets one file, whoever found the error."""
    sheet = read_csv(CSV)
    errors = reject_first(sheet)
    assert [(error.cell, error.column, error.code, error.found) for error in errors] == [
        ("A2", "员工编号", "unknown_employee", "000123")
    ]
    unknown = BadCell("unknown_employee", expected="", fix=Title(zh="查无此人", en="No such employee"))
    written = write_rejects(sheet, more=[sheet.reject(sheet.rows[0], {"employee_number": unknown})])
    assert written.decode("utf-8-sig").split("\r\n")[1] == "000123,60,,员工编号: 查无此人 / No such employee"
