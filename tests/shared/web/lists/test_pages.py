"""Lists page by page: each row once and in order, whatever comes or goes, as fast at the end as at the beginning."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from shared.auth.signatures import Signatures
from shared.database.keyset import read_page
from shared.database.sessions import Database
from tests.explaining import nodes_of, plan_of
from tests.shared.web.conftest import problem_of
from tests.shared.web.lists.conftest import Reader
from tests.shared.web.lists.shelf import BOOKS, Book, books_of, put

JUNE = datetime(2022, 6, 1, tzinfo=UTC)
SORTED_BY = {"id": "id", "bought_on": "bought_on", "price": "fen", "lent_at": "lent_at"}
A_BOOK = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "fen": st.integers(0, 2) | st.integers(-(2**63), 2**63 - 1),
        "bought_on": st.dates(date(2022, 1, 1), date(2022, 1, 3)),
        "lent_at": st.none() | st.integers(0, 2).map(lambda n: JUNE + timedelta(microseconds=n)),
    }
)


def place_in(order: str, book: Book) -> tuple[bool, Any, UUID]:
    """Say where a book belongs; one that was never lent comes behind the others."""
    value = getattr(book, SORTED_BY[order.removeprefix("-")])
    return value is None, 0 if value is None else value, book.id


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    books=st.lists(A_BOOK, max_size=12, unique_by=lambda book: book["id"]),
    order=st.sampled_from(BOOKS.orders),
    limit=st.integers(1, 13),
)
def test_all_pages_together_are_the_list(
    reader: Reader, shelf: Database, books: list[dict[str, Any]], order: str, limit: int
) -> None:
    """Each row once, in order, by any sort, through ties and what is NULL; no page but the last is short."""
    reader.programme_id = uuid4()
    made = put(shelf, reader.programme_id, *(book | {"id": uuid4()} for book in books))

    pages = list(reader.walk(sort=order, limit=limit))

    expected = sorted(made, key=lambda book: place_in(order, book), reverse=order.startswith("-"))
    assert [row["id"] for page in pages for row in page] == [str(book.id) for book in expected]
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_what_comes_and_goes_between_pages_moves_no_other_row(reader: Reader, shelf: Database) -> None:
    """Also when the very row is gone behind which the next page begins."""
    first, second, third, fourth = put(shelf, reader.programme_id, *({"fen": fen} for fen in (10, 20, 30, 40)))
    pages = reader.walk(sort="price", limit=2)
    seen = [row["id"] for row in next(pages)]

    with shelf.transaction() as tx:
        tx.execute(delete(Book).where(Book.id.in_([first.id, second.id])))
    put(shelf, reader.programme_id, {"fen": 5})
    (late,) = put(shelf, reader.programme_id, {"fen": 35})

    seen += [row["id"] for page in pages for row in page]
    assert seen == [str(book.id) for book in (first, second, third, late, fourth)]


class TestCursor:
    @pytest.fixture
    def cursor(self, reader: Reader, shelf: Database) -> str:
        """Return where the list by price of what was bought in June goes on."""
        put(shelf, reader.programme_id, {}, {}, {})
        page = reader.get(sort="price", bought_from="2022-06-01", limit=1).json()
        return str(page["next"])

    def test_fits_its_list_with_any_limit(self, reader: Reader, cursor: str) -> None:
        """How long pages are is no part of it."""
        page = reader.get(sort="price", bought_from="2022-06-01", limit=200, cursor=cursor).json()

        assert len(page["items"]) == 2

    @pytest.mark.parametrize(
        ("path", "asked"),
        [
            ("/more-books", {}),
            ("/books", {"sort": "-price"}),
            ("/books", {"sort": "id"}),
            ("/books", {"bought_from": "2022-06-02"}),
            ("/books", {"bought_until": "2022-07-01"}),
        ],
        ids=["another list", "the other way round", "another sort", "another filter", "a filter more"],
    )
    def test_fits_no_other_list(self, reader: Reader, cursor: str, path: str, asked: dict[str, str]) -> None:
        """It would skip rows there, without a word."""
        same = {"sort": "price", "bought_from": "2022-06-01", "cursor": cursor}

        self._require_refused(reader.get(path, **same | asked))

    def test_fits_no_other_programme(self, reader: Reader, cursor: str) -> None:
        """It holds values of rows."""
        reader.programme_id = uuid4()

        self._require_refused(reader.get(sort="price", bought_from="2022-06-01", cursor=cursor))

    def test_that_was_touched_is_refused(self, reader: Reader, cursor: str) -> None:
        """Callers store cursors, they do not make them."""
        payload, _, signature = cursor.partition(".")
        others = Signatures(["a secret of somebody else, long enough to sign"]).sign([1, str(uuid4())], purpose="x")
        for broken in (
            cursor[:-1],
            f"x{payload}.{signature}",
            payload,
            "~",
            others,
            "0" * 2_000,
            "光标",
        ):
            self._require_refused(reader.get(sort="price", bought_from="2022-06-01", cursor=broken))

    @pytest.mark.parametrize("cursor", ["", "x" * 2_001])
    def test_has_a_length(self, reader: Reader, cursor: str) -> None:
        """What cannot be one is refused before it is looked at."""
        answer = reader.get(cursor=cursor)

        assert [each["field"] for each in problem_of(answer)["errors"]] == ["cursor"]

    def _require_refused(self, answer: Any) -> None:
        problem = problem_of(answer)
        assert (answer.status_code, problem["code"], problem["facts"]) == (422, "broken_cursor", {"field": "cursor"})


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 201}, {"limit": "many"}, {"sort": "title"}, {"sort": "--id"}, {"sort": ""}, {"page": 2},
        {"partner_id": "x"}, {"bought_from": "June"}, {"lent_from": "2022-06-01T00:00:00"}, {"fen": 2**63},
        {"fen": "1.5"}, {"title": "a\0b"}, {"format": "pdf"}, {"Limit": 5},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_understood_is_refused_by_field(reader: Reader, query: dict[str, Any]) -> None:
    """A misspelt filter must not answer with everything; what the database could not hold never reaches it."""
    answer = reader.get(**query)

    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")
    assert {each["field"] for each in problem_of(answer)["errors"]} == set(query)


def test_filters_and_row_scope_meet(reader: Reader, shelf: Database) -> None:
    """A partner's member narrows what it may see, and never widens it."""
    mine, theirs = uuid4(), uuid4()
    put(shelf, reader.programme_id, {"partner_id": mine, "title": "a"}, {"partner_id": mine, "title": "b"})
    put(shelf, reader.programme_id, {"partner_id": theirs, "title": "a"})
    member = reader.headers(roles=["partner"], partner_id=str(mine))

    def titles(**query: Any) -> list[str]:
        answer = reader.client.get("/api/kit/books", params=query, headers=member)
        return [row["title"] for row in answer.json()["items"]]

    assert titles() == ["a", "b"]
    assert titles(title="a", partner_id=mine) == ["a"]
    assert titles(partner_id=theirs) == []
    assert len(reader.get(title="a").json()["items"]) == 2


PAGE = 50


def read_of(tx: Session, programme_id: UUID, order: str, place: Any) -> tuple[int, int]:
    """Return how many rows and blocks PostgreSQL read for a page."""
    chosen, rows = BOOKS.order(order), books_of(programme_id, None)
    statement = chosen.sorted(rows if place is None else chosen.behind(rows, place)).limit(PAGE + 1)
    plan = plan_of(tx, statement, options="ANALYZE, BUFFERS")
    rows_read = sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes_of(plan))
    return int(rows_read), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.parametrize("order", BOOKS.orders)
def test_page_1000_reads_as_little_as_page_1(shelf: Database, full_programme: UUID, order: str) -> None:
    """A page reads its own rows, from an index, however many stand before it."""
    with shelf.transaction() as tx:
        chosen, rows = BOOKS.order(order), books_of(full_programme, None)
        before = tx.scalars(chosen.sorted(rows).offset(999 * PAGE - 1).limit(1)).one()
        rows_first, blocks_first = read_of(tx, full_programme, order, None)
        rows_last, blocks_last = read_of(tx, full_programme, order, chosen.place_of(before))
        page, _ = read_page(tx, rows, chosen, place=chosen.place_of(before), limit=PAGE)

    assert len(page) == PAGE
    assert rows_first == rows_last <= 2 * (PAGE + 1)
    assert blocks_last <= blocks_first + PAGE  # Each row of a page may lie in a block of its own, wherever the page is.
    assert max(blocks_first, blocks_last) <= 3 * PAGE
