"""Order where a handler asks for it: behind a dead letter the later ones of its key wait, and come after it in order.

Who decides what waits and who lets it go hold the same lock, so that neither overtakes the other.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.envelope import Item
from shared.bus.handlers import Handler
from shared.bus.transport import Delivery

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('popcandy.parking'), hashtext(:handler))")
_BLOCKED = text("""
    SELECT key FROM unnest(CAST(:keys AS text[])) AS key
    WHERE EXISTS (SELECT FROM dead_letter WHERE state = 'dead' AND handler = :handler AND partition_key = key)
       OR EXISTS (SELECT FROM parked_letter WHERE handler = :handler AND partition_key = key)
""")
_PARK = text("""
    INSERT INTO parked_letter (handler, partition_key, event_id, headers, body)
    SELECT :handler, partition_key, event_id, headers, body
    FROM unnest(CAST(:keys AS text[]), CAST(:ids AS uuid[]), CAST(:headers AS text[]), CAST(:bodies AS bytea[]))
         WITH ORDINALITY AS p(partition_key, event_id, headers, body, place)
    ORDER BY place
""")
_TAKE = text("""
    DELETE FROM parked_letter WHERE position = (
        SELECT min(position) FROM parked_letter WHERE handler = :handler AND partition_key = :key
            AND NOT EXISTS (SELECT FROM dead_letter
                            WHERE state = 'dead' AND handler = :handler AND partition_key = :key))
    RETURNING headers, body
""")
_ORPHANED = text("""
    SELECT DISTINCT handler, partition_key FROM parked_letter AS p
    WHERE handler = ANY(CAST(:handlers AS text[])) AND NOT EXISTS (SELECT FROM dead_letter AS d WHERE d.state = 'dead'
                      AND d.handler = p.handler AND d.partition_key = p.partition_key) LIMIT :limit
""")


def lock(tx: Session, handler: Handler[Any]) -> None:
    """Let nobody else park or release letters of this handler until the transaction ends."""
    tx.execute(_LOCK, {"handler": handler.name})


def hold_back(tx: Session, handler: Handler[Any], items: Sequence[Item]) -> list[Item]:
    """Park the letters whose key is blocked; return the others."""
    if not items:
        return []
    lock(tx, handler)
    keys = sorted({item.partition_key for item in items})
    blocked = set(tx.scalars(_BLOCKED, {"handler": handler.name, "keys": keys}))
    waiting = [item for item in items if item.partition_key in blocked]
    if waiting:
        tx.execute(_PARK, {"handler": handler.name} | _columns(waiting))
    return [item for item in items if item.partition_key not in blocked]


def take_next(tx: Session, handler: Handler[Any], partition_key: str) -> Delivery | None:
    """Take the letter that has waited longest; None if none waits, or one of its key is dead."""
    lock(tx, handler)
    row = tx.execute(_TAKE, {"handler": handler.name, "key": partition_key}).first()
    return None if row is None else delivery_of(row.headers, row.body)


def list_orphaned(tx: Session, *, handlers: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """Return those of these handlers, with keys, whose letters wait behind nothing: their release was cut short."""
    return [(handler, key) for handler, key in tx.execute(_ORPHANED, {"handlers": list(handlers), "limit": limit})]


def delivery_of(headers: str, body: bytes) -> Delivery:
    """Make a stored letter what it was when it arrived."""
    return Delivery(orjson.loads(headers), body, "", redelivered=False, receipt=None)


def _columns(items: Sequence[Item]) -> dict[str, object]:
    return {
        "keys": [item.partition_key for item in items],
        "ids": [item.envelope.id for item in items],
        "headers": [orjson.dumps(dict(item.envelope.headers)).decode() for item in items],
        "bodies": [item.envelope.body for item in items],
    }
