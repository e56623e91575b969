"""The inbox's marks: a handler takes each letter once."""

from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.envelope import Item
from shared.bus.handlers import Handler
from shared.database import packed

_MARK = text("""
    INSERT INTO inbox (event_id, handler)
    SELECT unnest(CAST(:ids AS uuid[])), :handler ON CONFLICT DO NOTHING RETURNING event_id
""")
_KEEP = text("""
    INSERT INTO inbox (event_id, handler, type, body)
    SELECT event_id, :handler, type, body
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:bodies AS bytea[])) AS e(event_id, type, body)
    ON CONFLICT DO NOTHING RETURNING event_id
""")
_FORGET = text("""
    DELETE FROM inbox WHERE (event_id, handler) IN (
        SELECT event_id, handler FROM inbox
        WHERE handler = :handler AND received_at < now() - CAST(:age AS interval) LIMIT :limit)
    RETURNING event_id
""")


def mark(tx: Session, handler: Handler[Any], items: Sequence[Item]) -> dict[UUID, Item]:
    """Mark letters as taken by a handler, with their facts if it keeps them; return the new ones by id."""
    by_id = {item.envelope.id: item for item in reversed(items)}
    # Two batches that share events must not lock them in opposite orders.
    ids = sorted(by_id, key=attrgetter("int"))
    values: dict[str, object] = {"ids": packed.uuids(ids), "handler": handler.name}
    if handler.keep:
        values["types"] = packed.texts(by_id[event_id].envelope.type for event_id in ids)
        values["bodies"] = packed.bodies(by_id[event_id].envelope.body for event_id in ids)
    marked = tx.scalars(_KEEP if handler.keep else _MARK, values)
    return {event_id: by_id[event_id] for event_id in marked}


def forget(tx: Session, handler: Handler[Any], *, age: timedelta, limit: int) -> int:
    """Remove at most `limit` marks older than `age`, whose letters would then be handled again; return how many."""
    return len(tx.execute(_FORGET, {"handler": handler.name, "age": age, "limit": limit}).all())
