"""What is asked of an old ledger is all that finance can ask."""

import pytest
from fastapi.routing import APIRoute

from services.ledger.donations.queries import donations_of
from services.ledger.main import SERVICE
from tests.bench import finance
from tests.bench.aged import Ledger
from tests.bench.conftest import MONTH


def test_every_route_that_reads_is_asked() -> None:
    """A new one is measured, or this test says that it is not."""
    routes = [route for router in SERVICE.routers for route in router.routes if isinstance(route, APIRoute)]
    reads = {str(route.operation_id) for route in routes if "GET" in (route.methods or ())}

    assert reads
    assert {name for name in reads if not any(asked.startswith(name) for asked in finance.QUERIES)} == set()


@pytest.fixture
def case(books: Ledger) -> finance.Case:
    with books.database.transaction() as tx:
        return finance.a_case(tx, programme_id=books.programme_id)


def test_every_question_has_an_answer(books: Ledger, case: finance.Case) -> None:
    """A question about nothing would be fast."""
    with books.database.transaction() as tx:
        for name, query in finance.QUERIES.items():
            answer = query(tx, case)
            rows = answer[0] if isinstance(answer, tuple) else answer
            assert rows, name


def test_a_case_is_from_the_middle(books: Ledger, case: finance.Case) -> None:
    """Where a page is as far from the beginning as from the end."""
    with books.database.transaction() as tx:
        standing = list(tx.scalars(donations_of(books.programme_id, None)))

    assert sorted(one.id for one in standing)[MONTH] == case.donation.id
    assert case.month_from <= case.donation.service_on < case.month_until
