import io
import re
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from python_calamine import load_workbook

from shared.documents import spreadsheets
from shared.documents.papers import Column, Count, Fen, Minutes, Picture, Reference
from tests.shared.documents.papers import ISSUED, make_paper, make_row, make_table

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "{=1}",
    '=LINK("http://x")',
    "http://x.invalid/",
    "'=1",
)


def sheets(content: bytes) -> dict[str, list[list[object]]]:
    with load_workbook(io.BytesIO(content)) as book:
        return {name: [list(row) for row in book.get_sheet_by_name(name).to_python()] for name in book.sheet_names}


def parts(content: bytes) -> dict[str, str]:
    with ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name).decode() for name in package.namelist() if name.endswith((".xml", ".rels"))}


def test_a_paper_becomes_an_overview_and_a_sheet_for_each_table() -> None:
    """Values are values: they can be added up and sorted."""
    table = make_table(
        (Reference("R-2"), "青松", date(2022, 6, 1), Fen(123_450)),
        title="明细",
        total=("合计", None, None, Fen(123_450)),
        note="说明",
    )
    second = make_table(
        (Minutes(-95), Count(1_234), datetime(2022, 6, 1, 1, 30, tzinfo=UTC), Fen(-1)),
        columns=[Column("a"), Column("b"), Column("c"), Column("d")],
        title="Second",
    )
    found = sheets(spreadsheets.write_book(make_paper(sections=[table, second])))

    assert list(found) == ["概览", "明细", "Second"]
    assert found["明细"][:3] == [
        ["编号", "名称", "日期", "金额"],
        ["R-2", "青松", date(2022, 6, 1), 1234.5],
        ["合计", "", "", 1234.5],
    ]
    assert found["明细"][-1][0] == "说明"
    assert found["Second"][1] == [-95.0, 1234.0, datetime(2022, 6, 1, 9, 30), -0.01]  # noqa: DTZ001  Sheets have no zones.
    overview = {row[0]: row[1] for row in found["概览"]}
    assert overview["编号"] == "R-1"
    assert overview["出具时间"] == "2022年6月2日 12:00 (UTC+08:00)"


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula_or_a_link(text: str) -> None:
    """Whatever it begins with, and wherever it stands: titles, headings, facts, cells, notes, properties."""
    columns = [Column(text), Column(text), Column(text), Column(text)]
    table = make_table(make_row(1, text), columns=columns, title=text, note=text, total=(text, None, None, None))
    found = parts(spreadsheets.write_book(make_paper(text, title=text, reference=text, trace=text, sections=[table])))

    pages = [content for name, content in found.items() if name.startswith("xl/worksheets/sheet")]
    assert len(pages) == 2
    assert not any("<f" in re.sub(r"<fonts?\b", "", page).replace("<firstFooter", "") for page in pages)
    cells = [cell for page in pages for cell in re.findall(r"<c [^>]*>", page) if 't="s"' in cell]
    assert len(cells) > 15
    assert not any("hyperlink" in content.lower() for name, content in found.items() if name.endswith(".rels"))
    assert not any("externalLink" in name for name in found)


def test_money_is_exact_to_the_fen_and_text_where_a_sheet_would_round() -> None:
    """A spreadsheet keeps fifteen digits."""
    most, more = 999_999_999_999_999, 10**15 + 1
    found = sheets(
        spreadsheets.write_book(make_paper(sections=[make_table(("", "", None, Fen(most)), ("", "", None, Fen(more)))]))
    )
    content = parts(spreadsheets.write_book(make_paper(sections=[make_table(("", "", None, Fen(most)))])))

    assert "<v>9999999999999.99</v>" in content["xl/worksheets/sheet2.xml"]
    assert found["明细"][2][3] == "¥10,000,000,000,000.01"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("𠮷野家 😀", "𠮷野家 😀"),
        ("a\x00b\x1fc", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("\u202eabc\u200f", "\u202eabc\u200f"),
        ("_x0041_", "_x0041_"),
        ("<a>&\"'", "<a>&\"'"),
        ("字" * 40_000, "字" * 32_767),
    ],
)
def test_rare_characters_stay(given: str, kept: str) -> None:
    """What no file can hold is shown as U+FFFD; a cell ends where spreadsheets end it."""
    content = spreadsheets.write_book(make_paper(sections=[make_table(make_row(1, given))]))

    texts = [
        "".join(node.itertext())
        for node in ET.fromstring(parts(content)["xl/sharedStrings.xml"])  # noqa: S314  We wrote it.
    ]
    assert kept.replace("_x0041_", "_x005F_x0041_") in texts


def test_sheets_have_names_that_spreadsheets_take() -> None:
    """At most 31 characters, none that spreadsheets forbid, no apostrophe at an end, not `History`, all different."""
    titles = ["a/b[c]:*?\\d", "'x'", "History", "", "名" * 40, "名" * 40, "明细", "明细", "概览", "OVERVIEW"]
    names = list(
        sheets(spreadsheets.write_book(make_paper(sections=[make_table(make_row(1), title=each) for each in titles])))
    )

    assert len(names) == len(titles) + 1
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert 1 <= len(name) <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$|^history$", name, re.IGNORECASE)


def test_a_chart_stands_in_the_overview_with_its_words() -> None:
    """As a picture; who cannot see it hears what it says."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="red"/></svg>'
    )
    content = spreadsheets.write_book(make_paper(sections=[Picture("图", svg, "红色 <方块>")]))

    with ZipFile(io.BytesIO(content)) as package:
        assert package.read("xl/media/image1.png").startswith(b"\x89PNG")
        assert "红色 &lt;方块&gt;" in package.read("xl/drawings/drawing1.xml").decode()


def test_equal_papers_give_equal_bytes() -> None:
    """The only time in it is the one of issue."""
    first = spreadsheets.write_book(make_paper())

    assert spreadsheets.write_book(make_paper()) == first
    assert f"{ISSUED:%Y-%m-%dT%H:%M:%SZ}" in parts(first)["docProps/core.xml"]
    with ZipFile(io.BytesIO(first)) as package:
        assert {entry.date_time[:3] for entry in package.infolist()} == {(1980, 1, 1)}
