"""A service that has nothing to do with imports but one declaration."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared.database.server import Server
from shared.database.sessions import Database
from tests.shared.imports.pebbles import TABLE, Desk, pebbles


@pytest.fixture(scope="session")
def importing(server: Server) -> Iterator[Server]:
    """Prepare a database of the kit's tables and one of the service's own."""
    own = Server(server.url, prefix="imports_")
    own.prepare("ledger")
    with create_engine(own.database_url("ledger"), poolclass=NullPool).begin() as owner:
        owner.execute(text(TABLE))
    yield own
    own.drop("ledger")


@pytest.fixture
def database(importing: Server) -> Iterator[Database]:
    database = importing.open("ledger", pool_size=6)
    yield database
    database.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.transaction() as tx:
        for table in ("pebble", "sheet_import", "task_run", "outbox", "dead_letter"):
            tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608  The names above.
    return Desk(database, pebbles())
