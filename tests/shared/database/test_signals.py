"""Signals between processes: soon after the commit, and few however many commits there are."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Engine, event

from shared.database import signals
from shared.database.server import Server
from shared.database.sessions import Database
from shared.database.signals import GATHER_SECONDS, Bell, listen, wait_for_signal

CHANNEL, MANY = "bells", 200


@pytest.fixture
def engine(kit: Server, notes: Database) -> Iterator[Engine]:
    """Connections of a test's own to the database of `notes`: listeners stay on an engine."""
    del notes
    with closing(kit.open("bus", pool_size=2)) as database:
        yield database.engine


def statements_of(engine: Engine) -> list[str]:
    """Return what is executed on an engine from now on, as it is executed."""
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *called: seen.append(called[2]))
    return seen


def test_a_signal_comes_at_once(engine: Engine) -> None:
    """Nothing is gathered where there is but one."""
    with engine.connect() as connection, closing(Bell(engine)) as bell:
        listen(connection, CHANNEL)
        bell.ring([CHANNEL])
        assert wait_for_signal(connection, seconds=10)


def test_many_at_once_are_few(engine: Engine) -> None:
    """However many commits there are, a signal goes out every five milliseconds at most; the last one is not lost."""
    seen = statements_of(engine)
    with closing(Bell(engine)) as bell, ThreadPoolExecutor(8) as threads:
        begun = time.monotonic()
        list(threads.map(bell.ring, [[CHANNEL]] * MANY))
    most = (time.monotonic() - begun) / GATHER_SECONDS + 2
    assert 1 <= len(seen) <= most
    assert len(seen) < MANY


def test_each_is_one_way_to_the_server(engine: Engine) -> None:
    """A transaction of its own would be two more."""
    seen: list[bool] = []
    event.listen(engine, "before_cursor_execute", lambda *called: seen.append(called[1].connection.autocommit))
    with closing(Bell(engine)) as bell:
        bell.ring([CHANNEL, "others"])
    assert seen == [True]


def test_a_commit_is_heard(notes: Database) -> None:
    """Not before it is one."""
    with notes.engine.connect() as connection:
        listen(connection, CHANNEL)
        with notes.transaction() as tx:
            signals.notify_after_commit(tx, CHANNEL)
            assert not wait_for_signal(connection, seconds=0.1)
        assert wait_for_signal(connection, seconds=10)
