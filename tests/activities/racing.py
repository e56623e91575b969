"""Two at once: real connections, in an order that the test decides."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.database.sessions import Database
from shared.errors import Refusal
from tests.waiting import until

R = TypeVar("R")
Start = Callable[[Callable[[], object]], Future[Any]]
SECONDS = 20
_WAITING = text("""
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
""")


def outcome(attempt: Callable[[], R]) -> R | str:
    """Return what an attempt returns, or the code of its refusal."""
    try:
        return attempt()
    except Refusal as refusal:
        return refusal.code


def at_once(*attempts: Callable[[], R]) -> list[R | str]:
    """Make all attempts at the same time; return their outcomes in order."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], R]) -> R | str:
        barrier.wait(SECONDS)
        return outcome(attempt)

    with ThreadPoolExecutor(len(attempts)) as threads:
        return [future.result(SECONDS) for future in [threads.submit(run, attempt) for attempt in attempts]]


@contextmanager
def held(database: Database, first: Callable[[Session], object]) -> Iterator[Start]:
    """Do `first` and keep its transaction open; yield how to start a second that has to wait. Commits at the end."""
    with ThreadPoolExecutor(1) as threads, database.transaction() as tx:
        first(tx)

        def start(second: Callable[[], object]) -> Future[Any]:
            future = threads.submit(outcome, second)
            wait_for_lock(database)
            return future

        yield start


def wait_for_lock(database: Database) -> None:
    """Return once some transaction of this database waits for another one."""

    def is_waiting() -> bool:
        with database.apart() as tx:
            return bool(tx.execute(_WAITING).scalar_one())

    until(is_waiting, timeout=SECONDS, missing="a transaction that waits for a lock")
