"""Handlers for tests: they write what they hear into the table `heard`, and fail where a test wants it."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from shared import bus
from shared.bus.handlers import Subscriptions
from shared.events.activities import AttendanceSettled

HEARD = """
    CREATE TABLE IF NOT EXISTS heard (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, attendance_id uuid NOT NULL, trace_id text
    )
"""
_WRITE = text("INSERT INTO heard (attendance_id, trace_id) SELECT unnest(CAST(:ids AS uuid[])), :trace_id")
_HEARD = text("SELECT attendance_id FROM heard ORDER BY place")

Settled = Sequence[AttendanceSettled]


def hear(tx: Session, events: Settled) -> None:
    """Write the events down, with the trace that is bound."""
    ids = [event.attendance_id for event in events]
    tx.execute(_WRITE, {"ids": ids, "trace_id": get_contextvars().get("trace_id")})


def heard(tx: Session) -> list[UUID]:
    """Return whose attendances were heard of, in order."""
    return list(tx.scalars(_HEARD))


def hearing(run: Callable[[Session, Settled], None] = hear, *, batch: int = 500) -> Subscriptions:
    """Make a service's subscriptions with one handler."""
    return Subscriptions("ledger", [bus.on(AttendanceSettled, batch=batch)(run)])


def hearing_unless(objection: Callable[[Session, Settled], None], *, batch: int = 500) -> Subscriptions:
    """Make a handler that writes first and objects then, so that a failure has something to undo."""

    def hear_unless(tx: Session, events: Settled) -> None:
        hear(tx, events)
        objection(tx, events)

    return hearing(hear_unless, batch=batch)
