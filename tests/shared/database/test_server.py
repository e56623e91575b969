"""The server of a platform: new enough, prepared once, opened only when its schema is the code's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared.database import migrate
from shared.database.server import OutdatedSchema, Server, UnfitServer, require_version, role_of


def roles(server: Server) -> list[tuple[object, ...]]:
    with create_engine(server.url, poolclass=NullPool).connect() as connection:
        statement = text(
            "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = :name"
        )
        return [tuple(row) for row in connection.execute(statement, {"name": role_of("bus")})]


def test_a_new_enough_server_is_accepted(server: Server) -> None:
    """The embedded one is, by its own word."""
    assert int(server.check().split(".")[0]) >= 18


@pytest.mark.parametrize("number", [180000, 180006, 190001])
def test_from_18_on_a_server_will_do(number: int) -> None:
    """Version 18 brought `uuidv7()`."""
    require_version(number)


@pytest.mark.parametrize(("number", "major"), [(150014, 15), (170099, 17), (179999, 17)])
def test_an_older_server_is_refused_by_its_version(number: int, major: int) -> None:
    """Debian 12 ships 15 (PITFALLS.md G3)."""
    with pytest.raises(UnfitServer, match=f"18 or newer is needed; the server is {major}"):
        require_version(number)


def test_a_server_that_does_not_answer_is_said_so() -> None:
    """A wrong port is no bug of ours."""
    with pytest.raises(UnfitServer, match="cannot be reached"):
        Server("postgresql://somebody:sesame@127.0.0.1:1/postgres").check()


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql://us:sesame@host:port/db"])
def test_what_is_no_url_is_said_so_without_its_password(url: str) -> None:
    """The message is for the screen."""
    with pytest.raises(UnfitServer) as refused:
        Server(url)

    assert "sesame" not in str(refused.value)


def test_preparing_again_changes_nothing(kit: Server) -> None:
    """Every start of the embedded platform prepares."""
    kit.prepare("bus")
    with create_engine(kit.database_url("bus"), poolclass=NullPool).begin() as owner:
        owner.execute(text("INSERT INTO binding VALUES ('again', 'key') ON CONFLICT DO NOTHING"))
    kit.prepare("bus")

    with create_engine(kit.database_url("bus"), poolclass=NullPool).connect() as owner:
        assert owner.execute(text("SELECT count(*) FROM binding WHERE queue = 'again'")).scalar_one() == 1


def test_the_runtime_role_has_no_powers(kit: Server) -> None:
    """It cannot even log in; the account of the URL becomes it."""
    kit.prepare("bus")

    assert roles(kit) == [(False, False, False, False, False)]


def test_several_prepare_at_once(server: Server) -> None:
    """Three processes of a deployment start together."""
    fresh = Server(server.url, prefix="at_once_")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fresh.prepare, ["ledger"] * 3))

    fresh.require_current("ledger")
    fresh.drop("ledger")


def test_a_missing_database_is_named(server: Server) -> None:
    """Somebody forgot `migrate`, or named another server."""
    with pytest.raises(OutdatedSchema, match="nowhere_ledger"):
        Server(server.url, prefix="nowhere_").require_current("ledger")


def test_an_old_schema_is_refused_with_its_cure(server: Server) -> None:
    """New code over an old schema would fail in the middle of something."""
    behind = Server(server.url, prefix="behind_")
    behind.prepare("ledger")
    behind.require_current("ledger")
    migrate.downgrade(behind.database_url("ledger"), "ledger", "ledger@-1")

    with pytest.raises(OutdatedSchema, match=r"behind_ledger is not up to date; run \./popcandy migrate"):
        behind.require_current("ledger")

    behind.drop("ledger")


def test_a_schema_from_the_future_is_refused(server: Server) -> None:
    """An older Popcandy does not know what a newer one has changed, nor how to take it back."""
    ahead = Server(server.url, prefix="ahead_")
    ahead.prepare("bus")
    with create_engine(ahead.database_url("bus"), poolclass=NullPool).begin() as owner:
        owner.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))

    with pytest.raises(OutdatedSchema):
        ahead.require_current("bus")
    with pytest.raises(migrate.NewerSchema, match=r"9999_future"):
        ahead.prepare("bus")

    ahead.drop("bus")


def test_a_dropped_database_is_gone(server: Server) -> None:
    """Dropping it again is no error."""
    gone = Server(server.url, prefix="gone_")
    gone.prepare("bus")
    gone.drop("bus")
    gone.drop("bus")

    with pytest.raises(OutdatedSchema):
        gone.require_current("bus")
