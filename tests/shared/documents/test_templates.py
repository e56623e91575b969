"""Templates: what a person downloads, fills in and sends back."""

import io
import re
import zipfile

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from shared.documents.columns import Column
from shared.documents.refusals import EmptySheet
from shared.documents.sheets import read_sheet
from shared.documents.templates import Template, is_example
from shared.errors import Title
from tests.shared.documents.files import COLUMNS

NOTE = Title(zh="每人一个", en="one each")
NOTED = (Column("employee_number", ("员工编号", "employee_number"), COLUMNS[0].parse, note=NOTE), *COLUMNS[1:])
TEMPLATE = Template(NOTED, [("EXAMPLE1", "60", "2022-06-01 09:00", "2022-06-01", "扫码")])


def part(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read(name).decode()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_workbook_checks_while_one_types(language: str) -> None:
    """Lengths, whole numbers, instants, dates and choices, each with a message; instants may still be written out."""
    content = TEMPLATE.write("xlsx", language)  # type: ignore[arg-type]  # One of the two.
    sheet = part(content, "xl/worksheets/sheet1.xml")
    checks = dict(re.findall(r'<dataValidation type="(\w+)".*? sqref="([A-Z]+)2:', sheet))
    assert checks == {"textLength": "A", "whole": "B", "date": "D", "list": "E"}
    assert re.findall(r'type="date" errorStyle="(\w+)"', sheet) == ["warning"]
    assert "<formula1>1</formula1><formula2>480</formula2>" in sheet
    assert ("扫码,照片" in sheet) or language == "en"
    texts = part(content, "xl/sharedStrings.xml")
    assert (NOTE.zh in texts, NOTE.en in texts) == (language == "zh", language == "en")
    assert ("employee_number" in texts) is (language == "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_workbook_is_empty_and_its_examples_are_elsewhere(language: str) -> None:
    """Only the first sheet is read; its headings are the right ones."""
    content = TEMPLATE.write("xlsx", language)  # type: ignore[arg-type]  # One of the two.
    with pytest.raises(EmptySheet):
        read_sheet(io.BytesIO(content), filename="t.xlsx", columns=NOTED)


def test_a_csv_holds_its_examples_which_are_known_for_what_they_are() -> None:
    """They are read without an objection, and begin with the mark."""
    sheet = read_sheet(io.BytesIO(TEMPLATE.write("csv", "zh")), filename="t.csv", columns=NOTED)
    assert sheet.rejected == []
    assert [is_example(row.values.values()) for row in sheet.rows] == [True]
    assert not is_example(["E1", 60, None])


def test_merged_cells_are_empty_but_for_the_first() -> None:
    """A value is never spread over rows that did not have it."""
    content = io.BytesIO()
    with Workbook(content) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ("员工编号", "分钟"))
        page.merge_range(1, 0, 2, 0, "a")
        page.write_column(1, 1, (60, 70))
    sheet = read_sheet(io.BytesIO(content.getvalue()), filename="t.xlsx", columns=COLUMNS)
    assert [row.values["employee_number"] for row in sheet.rows] == ["a"]
    assert [(error.cell, error.code) for row in sheet.rejected for error in row.errors] == [("A3", "blank")]
