import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from shared.documents import glyphs, typesetting
from shared.documents.codes import qr_svg
from shared.documents.papers import Facts, Picture, Space
from shared.documents.spreadsheets import write_book
from tests.shared.documents.papers import ISSUED, make_paper, make_row, make_table

HOSTILE = (
    '#import "/etc/passwd": *',
    '#read("paper.typ")',
    '#import "@preview/cetz:0.3.0"',
    "$x^2$ @ref <label> *bold* _slant_ `raw` = heading",
    "] #panic() [",
    '" + read("/etc/passwd") + "',
    "\\u{41} \\ // gone /* gone */ ~ --- ...",
    "{page} {pages}",
    '{"a": 1}',
)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """Return all text without the breaks that the setting made."""
    return "".join(page.extract_text() for page in read(pdf).pages).replace("\n", "").replace(" ", "")


def fonts_of(pdf: bytes) -> Iterator[Any]:
    for page in read(pdf).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # A dictionary.
            yield font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()


@pytest.mark.parametrize(("language", "lang"), [("zh", "zh-CN"), ("en", "en-GB")])
def test_a_pdf_says_what_it_is(language: str, lang: str) -> None:
    """PDF/A-2b, with title and language, made when it was issued; its typeface is in it."""
    pdf = typesetting.typeset(make_paper(language=language))

    reader = read(pdf)
    metadata = reader.xmp_metadata
    assert reader.trailer["/Root"]["/Lang"] == lang  # type: ignore[index]  # A dictionary.
    assert reader.metadata is not None
    assert reader.metadata.title == "说明 青松社区"
    assert reader.metadata.creation_date == ISSUED
    assert metadata is not None
    packet = bytes(metadata.stream.get_data()).decode()
    assert "<pdfaid:part>2</pdfaid:part>" in packet
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in packet
    fonts = list(fonts_of(pdf))
    assert fonts
    assert all("/FontFile3" in font or "/FontFile2" in font for font in fonts)
    assert all("NotoSansSC" in font["/FontName"] for font in fonts)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("zh", ["追溯号", "2022年6月1日", "2小时5分钟", "2022年6月2日12:00(UTC+08:00)", "第1页，共1页"]),
        ("en", ["Trace", "1Jun2022", "2h5min", "2Jun2022,12:00(UTC+08:00)", "Page1of1"]),
    ],
)
def test_text_can_be_taken_out_again(language: str, wanted: list[str]) -> None:
    """Searching and copying work, in both languages, money and time as they are written there."""
    text = text_of(typesetting.typeset(make_paper(language=language)))

    for words in (*wanted, "青松社区", "¥123.45", "12,345", "01800000-0000-7000-8000-000000000001", "R-1"):
        assert words in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_is_never_read_as_typst(hostile: str) -> None:
    """It stands on the page as it was written, wherever it stands."""
    text = text_of(typesetting.typeset(make_paper(hostile)))

    assert text.count(hostile.replace(" ", "")) >= 7


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("𠮷野家", "[U+20BB7]野家"),
        ("😀", "[U+1F600]"),
        ("a\x00b", "a[U+0000]b"),
        ("\ud800x", "[U+D800]x"),
        ("שלום", "[U+05E9][U+05DC][U+05D5][U+05DD]"),
        ("\ufffd", "[U+FFFD]"),
        ("ab\u202e001\u202c\u200fc", "ab001c"),
        ("👩\u200d🔬\ufe0f", "[U+1F469][U+1F52C]"),
        ("e\u0301", "é"),
        ("一\t二\r\n三\u2028四", "一二三四"),
        ("①〓□", "①〓□"),
    ],
)
def test_a_character_without_a_glyph_is_told_by_its_code(given: str, shown: str) -> None:
    """One rare name does not cost the document; marks that turn the writing are left out: an amount reads as it is."""
    text = text_of(typesetting.typeset(make_paper(given)))

    assert shown in text
    assert ("代表字体中没有的字符" in text) == ("[U+" in shown)


def test_every_character_that_is_let_through_can_be_set() -> None:
    """All of the typeface at once: typst refuses a PDF/A with one empty box in it."""
    letters = "".join(map(chr, sorted(glyphs.covered())))
    pieces = [letters[start : start + 400] for start in range(0, len(letters), 400)]

    pdf = typesetting.typeset(make_paper(sections=[Facts("", [("", piece) for piece in pieces])]))

    assert len(letters) > 30_000
    assert pdf.startswith(b"%PDF-")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_text_costs_the_document(text: str) -> None:
    """Whatever anybody calls themselves, in whatever combination."""
    assert typesetting.typeset(make_paper(text)).startswith(b"%PDF-")


def test_headings_are_repeated_on_every_page() -> None:
    """And each page says which one it is, of how many, of what; no row is lost or halved."""
    rows = [make_row(number, "上海市浦东新区陆家嘴街道社区公益服务中心（试点）志愿者协会") for number in range(120)]
    reader = read(typesetting.typeset(make_paper(sections=[make_table(*rows)])))

    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert "编号 名称 日期 金额" in page
        assert f"第 {number} 页，共 {len(pages)} 页" in page
    assert all("R-1" in page for page in pages)
    whole = "".join(pages).replace("\n", "")
    assert all(f"-{number:012}" in whole for number in range(120))


def test_a_long_word_stays_in_its_column() -> None:
    """It breaks where it has to, over several lines, and can still be found as one word's letters."""
    pdf = typesetting.typeset(make_paper(sections=[make_table(make_row(1, "W" * 200))]))
    lines = [line for page in read(pdf).pages for line in page.extract_text().splitlines() if "W" in line]

    assert len(lines) > 5
    assert max(line.count("W") for line in lines) < 40
    assert text_of(pdf).count("W") == 200
    assert "\u200b" not in text_of(pdf)


def test_equal_papers_give_equal_bytes() -> None:
    """And another time of issue, or one more fen, gives others."""
    first = typesetting.typeset(make_paper())

    assert typesetting.typeset(make_paper()) == first
    assert typesetting.typeset(make_paper(issued_at=ISSUED + timedelta(minutes=1))) != first
    assert typesetting.typeset(make_paper("柏树社区")) != first


def test_what_is_too_much_is_refused_before_it_is_set() -> None:
    """Setting cannot be interrupted: the limit is on what goes in, by cells and by characters."""
    most = typesetting.MOST_CELLS
    rows = make_table(*[make_row(1)] * (most // 4))
    for sections in ([rows, make_table(make_row(2))], [rows, Facts("", [("", "")])]):
        with pytest.raises(typesetting.TooLongToSet) as refused:
            typesetting.typeset(make_paper(sections=sections))
        assert refused.value.facts == {"most_cells": most}

    long = "字" * typesetting.MOST_CHARS_IN_CELL
    facts = [Facts("", [("", long)] * (typesetting.MOST_CHARS // len(long)))]
    with pytest.raises(typesetting.TooLongToSet) as refused:
        typesetting.typeset(make_paper(sections=facts))
    assert refused.value.facts == {"most_chars": typesetting.MOST_CHARS}


def test_a_text_that_goes_on_and_on_is_cut_in_sight() -> None:
    """An ellipsis says so."""
    text = text_of(typesetting.typeset(make_paper(sections=[Facts("", [("", "字" * 600)])])))

    assert "字" * 500 + "…" in text
    assert text.count("字") == 500


def test_documents_wait_for_each_other_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has waited for the others is told to come back; afterwards there is room again."""
    room = BoundedSemaphore(1)
    monkeypatch.setattr(typesetting, "AT_ONCE", room)
    monkeypatch.setattr(typesetting, "WAIT_SECONDS", 0.01)
    with room, pytest.raises(typesetting.StillSetting):
        typesetting.typeset(make_paper())

    for _ in range(2):
        assert typesetting.typeset(make_paper()).startswith(b"%PDF-")


@pytest.mark.parametrize("path", ["/etc/passwd", "../papers.py", "/../papers.py", str(Path(__file__))])
def test_a_template_reads_nothing_outside_its_folder(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one of ours that tries."""
    (tmp_path / "curious.typ").write_text(f'#read("{path}")')
    monkeypatch.setattr(typesetting, "_TEMPLATES", tmp_path)

    with pytest.raises(typst.TypstError, match=r"not found|escape"):
        typesetting.compile_template("curious.typ", {}, files={}, issued_at=ISSUED)


def test_templates_use_no_packages() -> None:
    """They would be fetched from the network."""
    templates = list((Path(typesetting.__file__).parent / "templates").glob("**/*.typ"))

    assert templates
    assert all("@preview" not in file.read_text() and "@local" not in file.read_text() for file in templates)


def test_400_rows_take_a_second_or_two(record_property: Any) -> None:
    """A statement of a season is made while somebody waits; the bound leaves room for a busy machine."""
    paper = make_paper(sections=[make_table(*map(make_row, range(1, 401)))], trace="400 rows")
    begun = time.perf_counter()
    pdf = typesetting.typeset(paper)
    seconds = time.perf_counter() - begun

    record_property("measured", f"400 rows as PDF: {seconds:.2f} s, {len(pdf) // 1024} KiB")
    assert seconds < 10


def test_room_is_left_for_a_seal_and_a_code_is_as_wide_as_asked() -> None:
    """Headings are there, and the paper's keywords stand in the file as they are."""
    picture = Picture("Code", qr_svg("https://example.org/#x"), "Scan it", percent=20)
    paper = replace(make_paper(), sections=[Space("Seal"), picture], keywords=["a.b-c_1"])

    pdf = typesetting.typeset(paper)

    assert "Seal" in text_of(pdf)
    assert "Code" in text_of(pdf)
    metadata = read(pdf).metadata
    assert metadata is not None
    assert str(metadata["/Keywords"]) == "R-1, a.b-c_1"
    wide = typesetting.typeset(replace(paper, sections=[replace(picture, percent=100)]))
    assert len(read(wide).pages) == len(read(pdf).pages) == 1


def test_a_sheet_leaves_out_what_is_for_the_hand() -> None:
    """There is nothing to stamp."""
    paper = replace(make_paper(), sections=[Space("Seal")])
    assert b"PK" in write_book(paper)[:2]
