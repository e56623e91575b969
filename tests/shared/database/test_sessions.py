"""Transactions: whole or not at all, within limits, as a role that can do little."""

import threading
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from shared.bus.tables import Inbox
from shared.database.arrays import among
from shared.database.faults import may_pass
from shared.database.server import Server
from shared.database.sessions import Database
from shared.errors import NotAllowed
from tests.shared.notes import POOL_SIZE, bodies

NOTE = text("INSERT INTO note VALUES (:id, :body)")


def test_a_transaction_commits_at_its_end(notes: Database) -> None:
    """What was done is there for everybody."""
    with notes.transaction() as tx:
        tx.execute(NOTE, {"id": 1, "body": "kept"})

    assert bodies(notes) == ["kept"]


def test_a_transaction_that_raises_leaves_nothing(notes: Database) -> None:
    """Nothing is half done."""
    with pytest.raises(IntegrityError), notes.transaction() as tx:
        tx.execute(text("INSERT INTO note VALUES (1, 'lost'); INSERT INTO note VALUES (1, 'twice')"))

    assert bodies(notes) == []


def test_an_error_does_not_quote_what_was_written(notes: Database) -> None:
    """It may be about a person, and errors are logged."""
    with notes.transaction() as tx:
        tx.execute(NOTE, {"id": 1, "body": "kept"})
    with pytest.raises(IntegrityError) as refused, notes.transaction() as tx:
        tx.execute(NOTE, {"id": 1, "body": "合成丙"})

    assert "合成丙" not in str(refused.value)


def test_what_fails_at_the_commit_is_heard_of(notes: Database) -> None:
    """A deferred constraint speaks last (PITFALLS.md H1)."""
    with pytest.raises(IntegrityError), notes.transaction() as tx:
        tx.execute(text("INSERT INTO answer VALUES (404)"))


def test_what_is_done_apart_survives_a_refusal(notes: Database) -> None:
    """Ten wrong codes are ten attempts, though each was refused (PITFALLS.md H7)."""

    def refused() -> None:
        with notes.transaction() as tx:
            tx.execute(NOTE, {"id": 1, "body": "lost"})
            with notes.apart() as attempt:
                attempt.execute(NOTE, {"id": 2, "body": "counted"})
            raise NotAllowed

    with pytest.raises(NotAllowed):
        refused()

    assert bodies(notes) == ["counted"]


def test_apart_never_waits_for_a_connection_of_the_main_pool(notes: Database) -> None:
    """Requests that hold every connection could otherwise wait for each other for ever."""
    everybody = threading.Barrier(POOL_SIZE, timeout=20)

    def attempt(number: int) -> None:
        with notes.transaction() as tx:
            tx.execute(text("SELECT 1"))
            everybody.wait()
            with notes.apart() as other:
                other.execute(NOTE, {"id": number, "body": str(number)})

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(POOL_SIZE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert bodies(notes) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", "popcandy_bus"),
        ("statement_timeout", "1min"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("TimeZone", "UTC"),
        ("application_name", "popcandy_bus"),
    ],
)
def test_each_connection_has_its_limits(notes: Database, name: str, value: str) -> None:
    """Nothing waits for ever (PITFALLS.md G6)."""
    for opened in (notes.transaction, notes.apart):
        with opened() as tx:
            assert tx.scalar(text("SELECT current_setting(:name)"), {"name": name}) == value


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n int)",
        "ALTER TABLE note ADD COLUMN n int",
        "ALTER TABLE note DISABLE TRIGGER ALL",
        "DROP TABLE note",
        "TRUNCATE note CASCADE",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX mine ON note (body)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION pg_stat_statements",
        "CREATE ROLE mine SUPERUSER",
        "CREATE DATABASE mine",
        "DROP DATABASE postgres",
        "SET session_replication_role = replica",
        "COPY note TO PROGRAM 'cat'",
        "COPY note FROM '/etc/hostname'",
        "SELECT rolpassword FROM pg_authid",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_runtime_role_only_works_with_rows(notes: Database, statement: str) -> None:
    """A hole in a service is a hole in its rows at most, not in its schema or its server (PITFALLS.md L6)."""
    with notes.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement))
        connection.invalidate()

    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_role_of_another_service_reads_nothing_here(kit: Server, notes: Database) -> None:
    """Services know each other by events alone."""
    kit.prepare("ledger")
    with create_engine(notes.url, poolclass=NullPool).connect() as connection:
        connection.execute(text("SET ROLE popcandy_ledger"))
        with pytest.raises(DBAPIError, match="permission denied for table note"):
            connection.execute(text("SELECT * FROM note"))


def test_a_connection_that_broke_in_the_pool_is_replaced(kit: Server, notes: Database) -> None:
    """A restart of PostgreSQL is not an error of the next request."""
    assert bodies(notes) == []
    with create_engine(kit.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as owner:
        owner.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"),
            {"name": notes.url.database},
        )

    assert bodies(notes) == []


def test_a_list_of_values_may_be_as_long_as_an_import(notes: Database) -> None:
    """A statement takes 65,535 parameters; an array of any length is one."""
    wanted: list[UUID] = [uuid4() for _ in range(70_000)]
    with notes.transaction() as tx:
        tx.execute(text("CREATE TEMPORARY TABLE inbox (event_id uuid, handler text, received_at timestamptz)"))
        tx.execute(text("INSERT INTO inbox VALUES (:id, 'h')"), [{"id": wanted[-1]}, {"id": uuid4()}])

        assert tx.scalars(select(Inbox.event_id).where(among(Inbox.event_id, wanted))).all() == [wanted[-1]]
        assert tx.scalars(select(Inbox.event_id).where(among(Inbox.event_id, []))).all() == []
        tx.execute(text("DROP TABLE inbox"))


def test_a_transaction_that_lasts_too_long_is_ended(kit: Server) -> None:
    """By the server, so that no request holds locks and snapshots for as long as it likes; the pool recovers."""
    hasty = kit.open("bus", pool_size=1, transaction_seconds=1)
    try:
        with pytest.raises(DBAPIError) as ended, hasty.transaction() as tx:
            tx.execute(text("SELECT pg_sleep(20)"))

        assert may_pass(ended.value)
        with hasty.transaction() as tx:
            assert tx.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        hasty.close()


def test_a_reading_may_last_longer_than_a_request(kit: Server) -> None:
    """An export takes its minutes, though a request's transaction may not; and the next request may not either."""
    hasty = kit.open("bus", pool_size=1, transaction_seconds=1)
    try:
        with hasty.reading() as tx:
            assert tx.execute(text("SELECT 1 FROM pg_sleep(1.5)")).scalar_one() == 1
        with pytest.raises(DBAPIError), hasty.transaction() as tx:
            tx.execute(text("SELECT pg_sleep(20)"))
    finally:
        hasty.close()
