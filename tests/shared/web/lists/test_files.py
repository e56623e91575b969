"""Whole lists as files: what is in them, what they are called, and which format an answer has."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from python_calamine import CalamineWorkbook

from shared.database.sessions import Database
from shared.documents.exports import CSV_MEDIA_TYPE, XLSX_MEDIA_TYPE
from tests.shared.web.conftest import problem_of
from tests.shared.web.lists.conftest import Reader
from tests.shared.web.lists.shelf import LISTED, fill, put

LENT = datetime(2022, 6, 1, 1, 0, 0, 500_000, tzinfo=UTC)


FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"  # Of = + - @.
HEADINGS = ["Id", "Title", "Price (CNY)", "Bought on", "Lent at"]
RARE = ["𠮷 😀 \u202e", "\x01\x1f", "\ufffe", "a" * 40_000]


def lines(answer: Any) -> list[list[str]]:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def cells(answer: Any) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()


def test_a_csv_holds_the_list_for_people(reader: Reader, shelf: Database) -> None:
    """Headings in the caller's language, money as exact yuan, instants with their zone."""
    (book,) = put(shelf, reader.programme_id, {"title": "红楼梦, 上", "fen": -(10**17) - 5, "lent_at": LENT})

    answer = reader.get(accept="text/csv", language="zh-CN")

    assert lines(answer) == [
        ["编号", "书名", "价格（元）", "购入日期", "借出时间"],
        [str(book.id), "红楼梦, 上", "-1000000000000000.05", "2022-06-01", "2022-06-01T01:00:00.500000Z"],
    ]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_a_workbook_holds_the_same(reader: Reader, shelf: Database) -> None:
    """With numbers as numbers and dates as dates; a number too long for a spreadsheet is text rather than rounded."""
    put(shelf, reader.programme_id, {"title": "c", "fen": -7}, {"title": "b", "fen": 10**17 + 5})

    answer = reader.get(accept=XLSX_MEDIA_TYPE, sort="price")
    head, small, large = cells(answer)

    assert head == ["Id", "Title", "Price (CNY)", "Bought on", "Lent at"]
    assert small[1:] == ["c", -0.07, date(2022, 6, 1), ""]
    assert large[1:4] == ["b", "1000000000000000.05", date(2022, 6, 1)]
    assert answer.headers["content-type"] == XLSX_MEDIA_TYPE


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", *FULL_WIDTH, "'="])
def test_nothing_in_a_file_is_a_formula(reader: Reader, shelf: Database, start: str) -> None:
    """Whoever opens it runs nothing that somebody else wrote (PITFALLS H6); text keeps to its cell."""
    title = f'{start}HYPERLINK("http://x";"y"),"a\nb'
    put(shelf, reader.programme_id, {"title": title})

    assert lines(reader.get(format="csv"))[1][1] == f"'{title}"
    shown = cells(reader.get(format="xlsx"))[1][1]
    assert shown.splitlines() == title.splitlines()


@pytest.mark.parametrize("title", ["<r><t>=1</t></r>", "_x0041_", "007", *RARE])
def test_any_text_makes_a_workbook_that_opens(reader: Reader, shelf: Database, title: str) -> None:
    """Rare characters, what only looks like markup, and what no cell can hold."""
    put(shelf, reader.programme_id, {"title": title})

    shown = cells(reader.get(format="xlsx"))[1][1]

    assert isinstance(shown, str)
    assert title[:32_767].replace("\ufffe", "\ufffd") in {shown, shown.removeprefix("'")}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_has_the_pages_filters_order_and_scope(reader: Reader, shelf: Database, form: str) -> None:
    """And more rows than any page, none of them another's."""
    mine = uuid4()
    put(shelf, reader.programme_id, *({"partner_id": mine, "title": f"{n}", "fen": n} for n in range(1_300)))
    put(shelf, reader.programme_id, {"partner_id": uuid4()})
    query = {"bought_until": "2022-06-02", "sort": "-price"}
    member = reader.headers(roles=["partner"], partner_id=str(mine))

    answer = reader.client.get("/api/kit/books", params=query | {"format": form}, headers=member)

    found = lines(answer) if form == "csv" else cells(answer)
    assert [row[1] for row in found[1:]] == [f"{n}" for n in reversed(range(1_300))]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_empty_list_is_a_file_with_headings(reader: Reader, form: str) -> None:
    """Nothing was found, which is not the same as nothing was sent."""
    answer = reader.get(format=form)

    assert (lines(answer) if form == "csv" else cells(answer)) == [HEADINGS]


@pytest.mark.parametrize(
    ("language", "utf8"), [("en", "Books.csv"), ("zh", "%E5%9B%BE%E4%B9%A6.csv")], ids=["English", "Chinese"]
)
def test_a_file_has_a_name(reader: Reader, language: str, utf8: str) -> None:
    """In ASCII for old programs, and in the caller's language (RFC 6266)."""
    answer = reader.get(format="csv", language=language)

    expected = f"attachment; filename=\"books.csv\"; filename*=UTF-8''{utf8}"
    assert answer.headers["content-disposition"] == expected


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv", CSV_MEDIA_TYPE),
        ("TEXT/CSV;charset=utf-8", CSV_MEDIA_TYPE),
        ("text/*", CSV_MEDIA_TYPE),
        ("application/json;q=0.5, text/csv", CSV_MEDIA_TYPE),
        ("application/json;q=0, */*", CSV_MEDIA_TYPE),
        (f"{XLSX_MEDIA_TYPE}, text/csv;q=0.9", XLSX_MEDIA_TYPE),
        ("text/csv, application/json", "application/json"),
    ],
)
def test_accept_chooses_the_format(reader: Reader, accept: str, media: str) -> None:
    """By weight (RFC 9110 section 12.5.1); of equals JSON."""
    assert reader.get(accept=accept).headers["content-type"].partition(";")[0] == media


def test_who_accepts_nothing_in_particular_gets_json(reader: Reader) -> None:
    """An empty list of formats is no wish."""
    assert reader.get(accept="").json() == {"items": [], "next": None}


def test_the_format_parameter_wins(reader: Reader) -> None:
    """A link has no headers."""
    answer = reader.get(accept="application/json", format="csv")

    assert answer.headers["content-type"].startswith(CSV_MEDIA_TYPE)
    assert reader.get(accept="application/pdf", format="json").json() == {"items": [], "next": None}


@pytest.mark.parametrize("accept", ["application/pdf", "text/csv;q=0", "text/html", "nonsense", "text/csv;q=x"])
def test_no_other_format_is_made(reader: Reader, accept: str) -> None:
    """406, with those that there are."""
    answer = reader.get(accept=accept)

    assert (answer.status_code, problem_of(answer)["code"]) == (406, "not_acceptable")
    assert CSV_MEDIA_TYPE in problem_of(answer)["facts"]["offered"]


@pytest.mark.parametrize("query", [{"limit": 5}, {"cursor": "x"}], ids=str)
def test_a_file_has_no_pages(reader: Reader, query: dict[str, Any]) -> None:
    """Whoever asks for one page of a file would take it for the whole."""
    answer = reader.get(format="csv", **query)

    assert (answer.status_code, problem_of(answer)["code"]) == (422, "pages_only")
    assert problem_of(answer)["facts"] == {"field": next(iter(query))}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_too_many_rows_are_refused_before_the_first(reader: Reader, shelf: Database, form: str) -> None:
    """With the limit, rather than with a file that ends there."""
    fill(shelf, reader.programme_id, LISTED.most_exported + 1)

    answer = reader.get(format=form)

    assert (answer.status_code, problem_of(answer)["code"]) == (422, "export_too_large")
    assert problem_of(answer)["facts"] == {"most_rows": LISTED.most_exported}
    assert "content-disposition" not in answer.headers
    assert len(lines(reader.get(format="csv", bought_from="2022-03-01"))) > 1
