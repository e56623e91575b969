"""Transactions of one service's database. Only doors open them, and each commits where it was opened."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

from shared.database.signals import Bell, wanted_by

APART_POOL = 2
READING_SECONDS = 600
_TIME = text("SELECT set_config('transaction_timeout', '0', true), set_config('transaction_timeout', :limit, true)")
SOCKET = {  # A peer that is gone without a word is noticed within half a minute; Unix sockets ignore these.
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
    "timezone": "UTC",
}


def give_time(tx: Session, *, seconds: int) -> None:
    """Let this transaction last so long from now on, whatever its database allows transactions in general.

    Switched off first: the server does not move a deadline that stands already.
    """
    tx.execute(_TIME, {"limit": f"{seconds}s"})


class Database:
    """One service's database, reached as the service's runtime role, which cannot change the schema or the past."""

    def __init__(self, url: URL, *, role: str, pool_size: int, transaction_seconds: int = 0) -> None:
        """Prepare pools; nothing connects yet. `pool_size` bounds the connections of ordinary transactions.

        The server ends one that lasts longer than `transaction_seconds`, with its connection; 0 ends none.
        """
        self.url = url
        self.role = role
        self.pool_size = pool_size
        self._limits = LIMITS | {"transaction_timeout": f"{transaction_seconds}s"}
        self.engine = self._engine(pool_size)
        self._apart = self._engine(APART_POOL)
        self._bell = Bell(self._apart)

    def _engine(self, size: int) -> Engine:
        options = " ".join(f"-c {name}={value}" for name, value in ({"role": self.role} | self._limits).items())
        engine = create_engine(
            self.url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=30,
            hide_parameters=True,  # They may be personal, and errors are logged.
            connect_args={"options": options, "application_name": self.role} | SOCKET,
        )
        event.listen(engine, "checkout", _require_open)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that commits at the end of the block and rolls back when it raises.

        The signals that it asked for are sent after the commit.
        """
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            yield tx
        self._bell.ring(wanted_by(tx))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that writes nothing and sees one state of the database, for ten minutes at most."""
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            tx.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
            give_time(tx, seconds=READING_SECONDS)
            yield tx

    @contextmanager
    def apart(self) -> Iterator[Session]:
        """Open a short transaction on connections of its own, for what must survive a refusal of the main one.

        Its own pool: a caller that already holds a connection never waits for one of the same pool.
        """
        with Session(self._apart, expire_on_commit=False) as tx, tx.begin():
            yield tx

    def ping(self) -> None:
        """Ask the server for an answer. Raises SQLAlchemyError if there is none."""
        with self.apart() as tx:
            tx.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let go of every connection, after the last signal."""
        self._bell.close()
        self.engine.dispose()
        self._apart.dispose()


def _require_open(connection: psycopg.Connection[Any], *_: object) -> None:
    """Have the pool replace a connection that its server has ended, and those that are as old.

    An idle connection has nothing to be read but its end, which the system tells without a way to the server and back.
    A peer that is gone without a word is noticed as `SOCKET` says. Raises InvalidatePoolError, which the pool hears.
    """
    if connection.closed or _has_something_to_read(connection.fileno()):
        raise InvalidatePoolError


def _has_something_to_read(descriptor: int) -> bool:
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    return bool(readable.poll(0))
