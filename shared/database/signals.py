"""Signals between processes of one service: PostgreSQL's NOTIFY, after the commit and never within it.

A NOTIFY inside a business transaction makes all commits of the database wait for each other (PITFALLS O11). So it is
sent by a thread of its own once the transaction is through: the first at once, and what is asked for within five
milliseconds of it as one more. A signal can be lost, with its process or its connection: whoever waits for one looks by
itself now and then.
"""

import threading
import time
from collections.abc import Iterable

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry

GATHER_SECONDS = 0.005
_WANTED = "popcandy.signals"
_NOTIFY = text("SELECT pg_notify(channel, '') FROM unnest(CAST(:channels AS text[])) AS channel")

log = telemetry.get_logger()


def notify_after_commit(tx: Session, channel: str) -> None:
    """Signal `channel` once this transaction has committed; asked for again, it is still one signal."""
    tx.info.setdefault(_WANTED, set()).add(channel)


def wanted_by(tx: Session) -> Iterable[str]:
    """Return the channels that a transaction asked to have signalled."""
    channels: set[str] = tx.info.get(_WANTED, set())
    return channels


def listen(connection: Connection, channel: str) -> None:
    """Have signals of a channel collected on this connection, from now on."""
    connection.execute(text(f'LISTEN "{channel}"'))
    connection.commit()


def wait_for_signal(connection: Connection, *, seconds: float) -> bool:
    """Wait until a signal comes over a listening connection, at most `seconds`; say whether one did.

    Raises SQLAlchemyError if the connection is lost.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101  There is but one driver.
    try:
        return next(iter(raw.notifies(timeout=seconds, stop_after=1)), None) is not None
    except psycopg.Error:
        connection.execute(text("SELECT 1"))  # Says so as every other statement does, and marks the connection as lost.
        return False


class Bell:
    """Sends the signals of one database's transactions; its thread starts with the first one."""

    def __init__(self, engine: Engine) -> None:
        """Ring over connections of `engine`, one at a time."""
        self._engine = engine
        self._wanted: set[str] = set()
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def ring(self, channels: Iterable[str]) -> None:
        """Have these channels signalled soon; it never waits."""
        with self._state:
            self._wanted.update(channels)
            if not self._wanted or self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="popcandy-bell", daemon=True)
                self._thread.start()
            self._state.notify()

    def close(self) -> None:
        """Send what is still wanted, and end."""
        with self._state:
            self._closed = True
            self._state.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause, rung_at = threading.Event(), -GATHER_SECONDS
        while True:
            with self._state:
                self._state.wait_for(lambda: self._wanted or self._closed)
                if not self._wanted:
                    return
            pause.wait(max(0.0, rung_at + GATHER_SECONDS - time.monotonic()))
            rung_at = time.monotonic()
            with self._state:
                channels, self._wanted = self._wanted, set()
            self._send(sorted(channels))

    def _send(self, channels: list[str]) -> None:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(_NOTIFY, {"channels": channels})
        except SQLAlchemyError as error:  # The waiting side looks by itself.
            log.warning("signal.lost", channels=channels, error=str(error))
