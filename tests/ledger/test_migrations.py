"""The migrations make what the tables say, and can be taken back."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from services.ledger.donations.tables import Donation
from shared.bus import tables as bus
from shared.database import migrate
from shared.database.server import Server
from shared.database.sessions import Database

METADATA = Donation.metadata
CONSTRAINTS = text("""
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = CAST(:schema AS regnamespace) AND contype <> 'n' ORDER BY 1, 2
""")
INDEXES = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = :schema ORDER BY 1")


@pytest.fixture
def migrated(server: Server, database: Database) -> Iterator[Connection]:
    """Return a ledger database of this test's own, as its owner; the runtime role is there since `database`."""
    apart = Server(server.url, prefix=f"{server.prefix}migrations_")
    with create_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{apart.prefix}ledger" TEMPLATE template0'))
    migrate.upgrade(apart.database_url("ledger"), "ledger")
    with create_engine(apart.database_url("ledger"), poolclass=NullPool).connect() as connection:
        yield connection
    apart.drop("ledger")


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[object] = compare_metadata(context, [METADATA, bus.metadata])  # type: ignore[arg-type]  # It takes several.
    connection.rollback()
    return found


def test_columns_are_what_the_code_reads(migrated: Connection) -> None:
    """No migration was forgotten."""
    assert differences(migrated) == []


def test_constraints_and_indexes_are_what_the_code_says(migrated: Connection) -> None:
    """Checks, exclusions and partial indexes too, which Alembic does not compare."""
    migrated.execute(text("CREATE SCHEMA drafted"))
    migrated.execute(text("SET LOCAL search_path = drafted, public"))
    METADATA.create_all(migrated, checkfirst=False)
    names = [table.name for table in METADATA.sorted_tables]

    def described(schema: str, statement: object) -> list[tuple[str, ...]]:
        rows = migrated.execute(statement, {"schema": schema})  # type: ignore[call-overload]  # A text clause.
        plain = [tuple(part.replace("public.", "").replace("drafted.", "") for part in row) for row in rows]
        return [row for row in plain if any(row[0] == name or row[0].startswith(f"{name}_") for name in names)]

    for statement in (CONSTRAINTS, INDEXES):
        assert described("public", statement) == described("drafted", statement) != []


def test_up_down_up(migrated: Connection) -> None:
    """Each step can be taken back, and taken again."""
    url = migrated.engine.url
    for revision in ("ledger@0002_journal", "ledger@0001_policies", "base"):
        migrate.downgrade(url, "ledger", revision)
    left = migrated.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    functions = migrated.execute(
        text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    ).scalar_one()
    migrated.rollback()
    assert (left, functions) == (["alembic_version"], 0)

    migrate.upgrade(url, "ledger")

    assert differences(migrated) == []
