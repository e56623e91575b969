"""`emit`: a fact leaves its service in the transaction that made it true."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import clock, telemetry
from shared.events.base import Event
from shared.ids import new_id

CHUNK = 5_000  # Rows in one statement; bounds its memory.

_INSERT = text("""
    INSERT INTO outbox (event_id, type, programme_id, partition_key, emitted_at, traceparent, body)
    SELECT event_id, type, programme_id, partition_key, :emitted_at, :traceparent, body
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:programmes AS uuid[]), CAST(:keys AS text[]),
                CAST(:bodies AS text[])) WITH ORDINALITY AS e(event_id, type, programme_id, partition_key, body, place)
    ORDER BY place
""")


def emit(tx: Session, *events: Event) -> None:
    """Tell these facts once the transaction commits, in this order, and never if it does not."""
    emit_all(tx, events)


def emit_all(tx: Session, events: Sequence[Event]) -> None:
    """Do the same for many, with one statement for each few thousand."""
    now, traceparent = clock.now(), telemetry.traceparent()
    for start in range(0, len(events), CHUNK):
        tx.execute(_INSERT, _columns(events[start : start + CHUNK], now, traceparent))


def _columns(events: Sequence[Event], now: datetime, traceparent: str) -> dict[str, object]:
    return {
        "ids": [new_id() for _ in events],
        "types": [event.type for event in events],
        "programmes": [event.programme_id for event in events],
        "keys": [event.partition_key for event in events],
        "bodies": [event.model_dump_json() for event in events],
        "emitted_at": now,
        "traceparent": traceparent,
    }
