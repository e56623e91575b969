"""The migrations of what the kit owns: the bus's tables in every service, and the embedded broker."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from launch.services import SERVICES
from shared.database import migrate
from shared.database.server import Server
from tests.servers.schema import KIT

BUS_TABLES = {name for each in KIT for name in each.tables}
NAMES = [service.name for service in SERVICES]


@pytest.fixture
def empty(server: Server) -> Iterator[Server]:
    """Return a server on which the databases of the services are there, and empty."""
    fresh = Server(server.url, prefix="migrate_")
    with create_engine(server.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        for name in (*NAMES, "bus"):
            server.prepare(name)  # For the role, which migrations take rights from.
            connection.execute(text(f'CREATE DATABASE "{fresh.prefix}{name}" TEMPLATE template0'))
    yield fresh
    for name in (*NAMES, "bus"):
        fresh.drop(name)


def tables(url: URL) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    return set(inspect(engine).get_table_names())


LAST_WITHOUT_BUS = {"activities": "0006_imports"}  # What came after 0007 rests on bus_0012.


@pytest.mark.parametrize("service", NAMES)
def test_the_bus_goes_up_down_and_up_in_each_service(empty: Server, service: str) -> None:
    """The bus's tables are a branch of their own: the service's stay, but those that came after what rests on them."""
    url = empty.database_url(service)
    migrate.upgrade(url, service)
    full = tables(url)
    if service in LAST_WITHOUT_BUS:
        migrate.downgrade(url, service, f"{service}@{LAST_WITHOUT_BUS[service]}")
    expected = tables(url) - BUS_TABLES
    migrate.upgrade(url, service)

    migrate.downgrade(url, service, "bus@base")
    assert tables(url) == expected

    migrate.upgrade(url, service)
    assert tables(url) == full
    assert migrate.is_current(url, service)


def test_the_embedded_broker_goes_up_down_and_up(empty: Server) -> None:
    """Its two tables can be taken back, and made again."""
    url = empty.database_url("bus")
    migrate.upgrade(url, "bus")
    assert tables(url) == {"alembic_version", "binding", "message"}
    migrate.downgrade(url, "bus", "base")
    assert tables(url) == {"alembic_version"}
    migrate.upgrade(url, "bus")

    assert migrate.is_current(url, "bus")


@pytest.mark.parametrize("service", NAMES)
def test_the_bus_tables_are_what_the_code_says(empty: Server, service: str) -> None:
    """No migration of the bus was forgotten."""
    url = empty.database_url(service)
    migrate.upgrade(url, service)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _parents: kind != "table" or name in BUS_TABLES,
            },
        )
        assert compare_metadata(context, list(KIT)) == []  # type: ignore[arg-type]  # It takes several.


@pytest.mark.parametrize("service", ["ledger", "bus"])
def test_of_several_migrators_one_migrates_and_all_succeed(empty: Server, service: str) -> None:
    """The others wait, and find it done (PITFALLS.md G6)."""
    url = empty.database_url(service)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate.upgrade, url, service) for _ in range(3)]:
            done.result(60)

    assert migrate.is_current(url, service)


def test_an_empty_database_is_not_current(empty: Server) -> None:
    """It has no revision at all."""
    assert not migrate.is_current(empty.database_url("ledger"), "ledger")


def test_a_migration_that_fails_leaves_nothing(empty: Server) -> None:
    """All of it or none: PostgreSQL rolls back tables as well as rows."""
    url = empty.database_url("bus")
    with create_engine(url, poolclass=NullPool).begin() as owner:
        owner.execute(text("CREATE TABLE message (mine int)"))  # In the way of the second table.
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(url, "bus")

    assert tables(url) == {"message"}


def test_what_waits_and_what_died_survives_the_way_up_and_back(empty: Server) -> None:
    """Rows of the release before: an event in the outbox, a mark, a dead letter that can still be found."""
    url = empty.database_url("ledger")
    migrate.upgrade(url, "ledger")
    migrate.downgrade(url, "ledger", "bus@bus_0001")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as owner:
        owner.execute(
            text("""
            INSERT INTO outbox (event_id, type, programme_id, partition_key, emitted_at, traceparent, body)
            VALUES (uuidv7(), 'a.b.c.v1', uuidv7(), 'k', now(), 't', '{}');
            INSERT INTO inbox (event_id, handler) VALUES (uuidv7(), 'ledger.accrue_donations');
            INSERT INTO dead_letter (fingerprint, headers, body, reason, error, attempts)
            VALUES ('\\x01', '{}', '\\x7b7d', 'refused', 'NoPolicy: …', 1)
        """)
        )
    for way in (migrate.upgrade, partial(migrate.downgrade, revision="bus@bus_0001"), migrate.upgrade):
        way(url, "ledger")

    with engine.connect() as owner:
        assert owner.execute(text("SELECT lane, due_at, next_try_at FROM outbox")).all() == [("event", None, None)]
        assert owner.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 1
        dead = owner.execute(text("SELECT origin, state, cause, error FROM dead_letter")).all()
        assert dead == [("inbox", "dead", "before", "NoPolicy: …")]
