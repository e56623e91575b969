"""Trying the database's guards from SQL, and watching its locks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.database.sessions import Database
from tests.waiting import until


@dataclass
class Raw:
    """A transaction of somebody who tries; rolled back at the end."""

    who: str
    tx: Session


def refused_state(tx: Session, statement: str, values: dict[str, Any] | None = None) -> str:
    """Run a statement that has to fail, deferred constraints included; return its SQLSTATE. The transaction goes on."""
    return refused(tx, lambda: tx.execute(text(statement), values or {}))


def refused(tx: Session, attempt: Callable[[], object]) -> str:
    """Do the same with any attempt."""

    def try_it() -> None:
        with tx.begin_nested():
            attempt()
            tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError) as refusal:
        try_it()
    return str(getattr(refusal.value.orig, "sqlstate", None))


def wait_for_lock(database: Database) -> None:
    """Return once some transaction of the ledger waits for another one."""
    waiting = text("""
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()
    """)

    def is_waiting() -> bool:
        with database.apart() as tx:
            return bool(tx.execute(waiting).scalar_one())

    until(is_waiting, timeout=10, missing="a transaction that waits for a lock")
