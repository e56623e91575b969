"""Rows out: what a cell becomes, without an app around it."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from shared.documents.cells import unprotect
from shared.documents.exports import write_csv, write_xlsx, yuan_of
from shared.errors import Title

COLUMNS = {"value": Title(zh="值", en="Value")}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def csv_of(*values: object) -> list[str]:
    """Write values under one heading, some at a time, and read them as another program would."""
    batches = [[SimpleNamespace(value=value)] for value in values]
    content = b"".join(write_csv(COLUMNS, "en", batches)).decode("utf-8-sig")
    return [row[0] if row else "" for row in list(csv.reader(io.StringIO(content, newline="")))[1:]]


def xlsx_of(*values: object) -> list[Any]:
    content = b"".join(write_xlsx(COLUMNS, "zh", [[SimpleNamespace(value=value) for value in values]]))
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [row[0] for row in rows[1:]]


@given(st.lists(TEXT, max_size=5))
def test_text_survives_a_csv_and_starts_no_formula(texts: list[str]) -> None:
    """Delimiters, quotes and line ends within it, too; the mark comes off where it was put."""
    found = csv_of(*texts)

    assert [unprotect(each) if each != text else each for each, text in zip(found, texts, strict=True)] == texts
    plain_number = "+-.0123456789"
    for cell in found:
        assert not cell.startswith(FORMULA) or not set(cell) - set(plain_number)


@given(st.integers(-(2**63), 2**63 - 1))
def test_fen_become_yuan_to_the_fen(fen: int) -> None:
    """Two decimals, always; read back they are the same fen, also where a float would not be."""
    (cell,) = csv_of(SimpleNamespace(fen=fen))

    assert Decimal(cell) * 100 == fen
    assert cell == str(yuan_of(fen))
    assert cell.rpartition(".")[2].isdigit()
    assert len(cell.rpartition(".")[2]) == 2


@pytest.mark.parametrize(
    ("value", "in_csv", "in_xlsx"),
    [
        (True, "TRUE", True),
        (22, "22", 22.0),
        (10**15, "1000000000000000", "1000000000000000"),
        (-(10**15) + 1, "-999999999999999", -999_999_999_999_999.0),
        (None, "", ""),
        ("", "", ""),
        ("-5", "-5", "-5"),
        ("007", "007", "007"),
        (date(2022, 6, 1), "2022-06-01", date(2022, 6, 1)),
        (date(1899, 12, 31), "1899-12-31", "1899-12-31"),
        (datetime(2022, 6, 1, 1, tzinfo=UTC), "2022-06-01T01:00:00Z", "2022-06-01T01:00:00Z"),
    ],
    ids=str,
)
def test_a_value_is_a_cell_of_its_kind(value: object, in_csv: str, in_xlsx: object) -> None:
    """Numbers are numbers where they are exact, and text is never taken for one in a workbook."""
    last = "end"  # An empty last row would not be there to be read.

    assert csv_of(value, last) == [in_csv, last]
    assert xlsx_of(value, last) == [in_xlsx, last]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_float_is_no_value(write: Any) -> None:
    """What should have been exact is noticed here at the latest."""
    with pytest.raises(TypeError, match="float"):
        list(write(COLUMNS, "en", [[SimpleNamespace(value=0.1)]]))
