"""Transactions of one service's database. Only doors open them, and each commits where it was opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.orm import Session

APART_POOL = 2
CONNECT_SECONDS = 5
LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}


class Database:
    """One service's database, reached as the service's runtime role, which cannot change the schema or the past."""

    def __init__(self, url: URL, *, role: str, pool_size: int) -> None:
        """Prepare pools; nothing connects yet. `pool_size` bounds the connections of ordinary transactions."""
        self.url = url
        self.role = role
        self.pool_size = pool_size
        self.engine = self._engine(pool_size)
        self._apart = self._engine(APART_POOL)

    def _engine(self, size: int) -> Engine:
        options = " ".join(f"-c {name}={value}" for name, value in ({"role": self.role} | LIMITS).items())
        return create_engine(
            self.url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={"options": options, "connect_timeout": CONNECT_SECONDS, "application_name": self.role},
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that commits at the end of the block and rolls back when it raises."""
        with Session(self.engine, expire_on_commit=False) as tx, tx.begin():
            yield tx

    @contextmanager
    def apart(self) -> Iterator[Session]:
        """Open a short transaction on connections of its own, for what must survive a refusal of the main one.

        Its own pool: a caller that already holds a connection never waits for one of the same pool.
        """
        with Session(self._apart, expire_on_commit=False) as tx, tx.begin():
            yield tx

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()
        self._apart.dispose()
