"""A database of the kit's own tests: notes, and answers whose note is looked for only at the commit."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared.database.server import Server
from shared.database.sessions import Database

POOL_SIZE = 3


@pytest.fixture(scope="session")
def kit(server: Server) -> Server:
    """The server of this run, with names of these tests' own."""
    return Server(server.url, prefix="kit_")


@pytest.fixture(scope="session")
def notes_database(kit: Server) -> Iterator[Database]:
    kit.prepare("bus")
    with create_engine(kit.database_url("bus"), poolclass=NullPool).begin() as owner:
        owner.execute(text("CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL)"))
        owner.execute(text("CREATE TABLE answer (note_id int REFERENCES note DEFERRABLE INITIALLY DEFERRED)"))
    database = kit.open("bus", pool_size=POOL_SIZE)
    yield database
    database.close()


@pytest.fixture
def notes(notes_database: Database) -> Database:
    """Return the database without notes."""
    with notes_database.transaction() as tx:
        tx.execute(text("DELETE FROM answer"))
        tx.execute(text("DELETE FROM note"))
    return notes_database


def bodies(database: Database) -> list[str]:
    with database.transaction() as tx:
        return list(tx.scalars(text("SELECT body FROM note ORDER BY id")))
