"""Alembic, driven from code: one tree per service, with the bus's own tables as a branch in each."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from shared.errors import Hindrance

ROOT = Path(__file__).parents[2]


class NewerSchema(Hindrance):
    """A database has migrations that this version does not know."""


def upgrade(url: URL, service: str) -> None:
    """Bring a database to the newest schema; of several callers all but one find it done. Raises NewerSchema."""
    _run(url, service, "upgrade", "heads")


def downgrade(url: URL, service: str, revision: str) -> None:
    """Take a database back to `revision`; `base` empties it."""
    _run(url, service, "downgrade", revision)


def is_current(url: URL, service: str) -> bool:
    """Say whether a database has every migration of its service.

    One that another depends on is not noted beside that: it is implied.
    """
    with create_engine(url, poolclass=NullPool).connect() as connection:
        noted = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(config_of(service))
    try:
        there = {revision.revision for revision in script.iterate_revisions(noted, "base")} if noted else set()
    except (CommandError, RevisionError):
        return False  # It knows one that we do not.
    return set(script.get_heads()) <= there


def config_of(service: str) -> Config:
    """Return Alembic's configuration of one service, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", ":".join(str(path) for path in locations(service)))
    return config


def locations(service: str) -> list[Path]:
    """Say where a service's migrations are: its own, and the bus's tables (`bus` itself is the embedded broker)."""
    if service == "bus":
        return [ROOT / "shared" / "bus" / "transport" / "migrations"]
    return [ROOT / "services" / service / "migrations", ROOT / "shared" / "bus" / "migrations"]


def _run(url: URL, service: str, direction: str, revision: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('popcandy.migrate'))"))
        config = config_of(service)
        config.attributes["connection"] = connection
        try:
            getattr(command, direction)(config, revision)
        except CommandError as error:
            raise NewerSchema(f"database {url.database} is of another Popcandy: {error}") from error
