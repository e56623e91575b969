"""What tests of benchmarks run on: ledgers that are two short months old."""

from collections.abc import Iterator

import pytest

from shared.database.server import Server
from tests.bench import aged
from tests.bench.aged import Ledger

MONTH = 120


@pytest.fixture(scope="session")
def books(server: Server) -> Iterator[Ledger]:
    """Make a ledger in a database of its own, which no test changes."""
    with aged.ledger(Server(server.url, prefix=f"{server.prefix}read_"), entries=2 * MONTH, month=MONTH) as made:
        yield made


@pytest.fixture
def open_books(server: Server) -> Iterator[Ledger]:
    """Make another, which one test may change."""
    with aged.ledger(Server(server.url, prefix=f"{server.prefix}open_"), entries=2 * MONTH, month=MONTH) as made:
        yield made
