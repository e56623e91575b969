"""The migrations make what the tables say, and can be taken back."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from services.ledger.donations import actions
from services.ledger.donations.tables import Donation
from shared.database import migrate
from shared.database.server import Server
from shared.database.sessions import Database
from tests.factories.ledger import NOW, OTHER_PARTNER, make_policy_version, make_revised, make_settled, make_voided
from tests.servers.schema import CONSTRAINTS, INDEXES, described, differences, drafted

METADATA = Donation.metadata


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


def test_columns_are_what_the_code_reads(migrated: Connection) -> None:
    """No migration was forgotten."""
    assert differences(migrated, METADATA) == []


def test_constraints_and_indexes_are_what_the_code_says(migrated: Connection) -> None:
    """Checks, exclusions and partial indexes too, which Alembic does not compare."""
    draft = drafted(migrated, METADATA)
    for what in (CONSTRAINTS, INDEXES):
        is_there = described(migrated, METADATA, what, schema="public")
        assert is_there == described(migrated, METADATA, what, schema=draft) != []


def test_up_down_up(migrated: Connection) -> None:
    """Each step can be taken back, and taken again."""
    url = migrated.engine.url
    for revision in ("ledger@0005_partner_lists", "ledger@0002_journal", "ledger@0001_policies", "base"):
        migrate.downgrade(url, "ledger", revision)
    left = migrated.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    functions = migrated.execute(
        text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    ).scalar_one()
    migrated.rollback()
    assert (left, functions) == (["alembic_version"], 0)

    migrate.upgrade(url, "ledger")

    assert differences(migrated, METADATA) == []


def test_totals_are_filled_from_what_stands(migrated: Connection) -> None:
    """Taking the totals back and making them again finds the same sums, of corrected and voided donations too."""
    url = migrated.engine.url
    with Session(migrated.engine) as tx:
        make_policy_version(tx)
        settled, voided = make_settled(), make_settled(minutes=20, service_on=date(2022, 7, 31))
        actions.accrue(tx, [settled, voided, make_settled(partner_id=OTHER_PARTNER)], now=NOW)
        actions.accrue(tx, [make_revised(settled, minutes=500), make_voided(voided)], now=NOW)
        tx.commit()
    kept = _totals(migrated)

    migrate.downgrade(url, "ledger", "ledger@0005_partner_lists")
    migrate.upgrade(url, "ledger")

    assert _totals(migrated) == kept
    assert len(kept) == 5


def _totals(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute(text("SELECT * FROM partner_total ORDER BY partner_id, service_month")).all()
    connection.rollback()
    return [tuple(row) for row in rows]
