"""Running a relay or a consumer beside a test, and watching what it does to its database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Flag

from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from shared.database.server import Server

END_SECONDS = 20


@contextmanager
def running(*works: Callable[[Flag], None]) -> Iterator[Flag]:
    """Run each work in a thread of its own until the block ends; what one raises is raised here."""
    stop = Flag()
    with ThreadPoolExecutor(len(works)) as pool:
        threads = [pool.submit(work, stop) for work in works]
        try:
            yield stop
        finally:
            stop.set()
        for thread in threads:
            thread.result(timeout=END_SECONDS)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect the transactions and statements that pass through an engine."""
    seen: list[str] = []

    def on_begin(_connection: object) -> None:
        seen.append("BEGIN")

    def on_statement(*parts: object) -> None:
        seen.append(" ".join(str(parts[2]).split()))

    event.listen(engine, "begin", on_begin)
    event.listen(engine, "before_cursor_execute", on_statement)
    try:
        yield seen
    finally:
        event.remove(engine, "begin", on_begin)
        event.remove(engine, "before_cursor_execute", on_statement)


class Owner:
    """The owner of one service's database: sees all, may end anybody's connection."""

    def __init__(self, server: Server, service: str) -> None:
        self.server = server
        self.service = service
        self.name = server.database_url(service).database

    def execute(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Run one statement in the database."""
        return self._run(self.server.database_url(self.service), statement, values)

    def count(self, table: str) -> int:
        ((number,),) = self.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  The tests' own names.
        assert isinstance(number, int)
        return number

    def leader(self) -> int | None:
        """Return the server process of whoever holds an advisory lock in the database, if anybody does."""
        found = self.execute("""
            SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """)
        return int(str(found[0][0])) if found else None

    def cut(self, pid: int | None = None) -> None:
        """End everybody's connections, or one."""
        self._outside(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND (pid = :pid OR :every)",
            name=self.name, pid=pid or 0, every=pid is None,
        )  # fmt: skip

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let nobody into the database during the block."""
        self._outside(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
        self.cut()
        try:
            yield
        finally:
            self._outside(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let nobody read or write a table during the block."""
        engine = create_engine(self.server.database_url(self.service), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"LOCK TABLE {table}"))
            yield

    def cancel_waiting(self) -> bool:
        """Cancel the statements that wait for a lock, as a time-out would; say whether there were any."""
        found = self.execute("""
            SELECT pg_cancel_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
        """)
        return bool(found)

    def _outside(self, statement: str, **values: object) -> None:
        self._run(self.server.url, statement, values)

    @staticmethod
    def _run(url: URL, statement: str, values: dict[str, object]) -> list[tuple[object, ...]]:
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []
