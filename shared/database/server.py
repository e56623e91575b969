"""The PostgreSQL server of a platform: named by a URL, else embedded; a database and a role for each service on it."""

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool

from shared.database import migrate
from shared.database.sessions import Database
from shared.errors import Hindrance

LEAST_VERSION = 180000  # uuidv7() and what else we use; Debian 12 ships 15.
_ONE_AT_A_TIME = text("SELECT pg_advisory_lock(hashtext('popcandy.prepare'))")


class UnfitServer(Hindrance):
    """The PostgreSQL server cannot serve Popcandy; the message says why."""


class OutdatedSchema(Hindrance):
    """A database is not as this version needs it; the message names the command that mends it."""


class Server:
    """A PostgreSQL server on which we may create databases and roles."""

    def __init__(self, url: URL | str, *, prefix: str = "popcandy_") -> None:
        """Name the server by a URL of an account with CREATEDB and CREATEROLE; `prefix` starts the databases' names."""
        try:
            self.url = make_url(url).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError) as error:  # The message would quote the password.
            raise UnfitServer("the PostgreSQL server's URL is not of the form postgresql://user@host/name") from error
        self.prefix = prefix

    def check(self) -> str:
        """Return the server's version. Raises UnfitServer for one older than 18, and where none answers."""
        try:
            with self._connect(self.url) as connection:
                require_version(int(connection.execute(text("SHOW server_version_num")).scalar_one()))
                return str(connection.execute(text("SHOW server_version")).scalar_one())
        except OperationalError as error:
            raise UnfitServer(f"the PostgreSQL server cannot be reached: {error.orig}") from error

    def prepare(self, service: str) -> None:
        """Make the service's role and database if they are missing, and bring its tables up to date.

        Of several callers at once each waits for the one before. Raises NewerSchema.
        """
        with self._connect(self.url) as connection:
            connection.execute(_ONE_AT_A_TIME)  # Until the connection closes. Roles belong to the whole server.
            self._make_role(connection, service)
            self._make_database(connection, service)
            with self._connect(self.database_url(service)) as owner:
                _grant(owner, role_of(service))
            migrate.upgrade(self.database_url(service), service)
            with self._connect(self.database_url(service)) as owner:
                owner.execute(text(f'REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM "{role_of(service)}"'))

    def require_current(self, service: str) -> None:
        """Refuse to run over a database that is missing or older than the code. Raises OutdatedSchema."""
        try:
            is_current = migrate.is_current(self.database_url(service), service)
        except OperationalError as error:
            raise OutdatedSchema(f"database {self.prefix}{service} cannot be opened: {error.orig}") from error
        if not is_current:
            raise OutdatedSchema(f"database {self.prefix}{service} is not up to date; run ./popcandy migrate")

    def open(self, service: str, *, pool_size: int, transaction_seconds: int = 0) -> Database:
        """Reach a prepared service's database as its runtime role; 0 lets a transaction take as long as it takes."""
        url, role = self.database_url(service), role_of(service)
        return Database(url, role=role, pool_size=pool_size, transaction_seconds=transaction_seconds)

    def database_url(self, service: str) -> URL:
        """Where a service's database is, as the owner of its schema."""
        return self.url.set(database=f"{self.prefix}{service}")

    def drop(self, service: str) -> None:
        """Remove a service's database and all that is in it; for tests and throw-away platforms."""
        with self._connect(self.url) as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{self.prefix}{service}" WITH (FORCE)'))

    def _make_role(self, connection: Connection, service: str) -> None:
        role = role_of(service)
        if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first() is None:
            connection.execute(text(f'CREATE ROLE "{role}" NOLOGIN'))
        connection.execute(text(f'GRANT "{role}" TO CURRENT_USER WITH SET TRUE'))

    def _make_database(self, connection: Connection, service: str) -> None:
        name = f"{self.prefix}{service}"
        if connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first() is None:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))

    def _connect(self, url: URL) -> Connection:
        engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5}
        )
        return engine.connect()


def require_version(number: int) -> None:
    """Refuse a server by its `server_version_num`. Raises UnfitServer."""
    if number < LEAST_VERSION:
        raise UnfitServer(f"PostgreSQL 18 or newer is needed; the server is {number // 10000}")


def role_of(service: str) -> str:
    """Name the runtime role of a service: no login, no schema changes; migrations take more away from it."""
    return f"popcandy_{service}"


def _grant(connection: Connection, role: str) -> None:
    connection.execute(text(f'GRANT USAGE ON SCHEMA public TO "{role}"'))
    connection.execute(
        text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{role}"')
    )
    connection.execute(text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO "{role}"'))
