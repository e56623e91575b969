"""`emit`: a fact leaves its service in the transaction that made it true, at once or at its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import clock, telemetry
from shared.database import packed
from shared.database.signals import notify_after_commit
from shared.events.base import Event
from shared.ids import new_id, new_ids

CHUNK = 5_000  # Rows in one statement; bounds its memory.

_INSERT = text("""
    INSERT INTO outbox (
        lane, event_id, type, programme_id, partition_key, emitted_at, traceparent, body, due_at, next_try_at
    )
    SELECT :lane, event_id, type, programme_id, partition_key, :emitted_at, traceparent, body, :due_at, :next_try_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:programmes AS uuid[]), CAST(:keys AS text[]),
                CAST(:traces AS text[]), CAST(:bodies AS text[])) WITH ORDINALITY
        AS e(event_id, type, programme_id, partition_key, traceparent, body, place)
    ORDER BY place
""")
_REPLACE = text("""
    INSERT INTO outbox (event_id, type, programme_id, partition_key, emitted_at, traceparent, body, due_at, timer_key)
    VALUES (:id, :type, :programme, :key, :emitted_at, :traceparent, :body, :due_at, :timer_key)
    ON CONFLICT (timer_key) WHERE timer_key IS NOT NULL DO UPDATE SET
        event_id = excluded.event_id, type = excluded.type, programme_id = excluded.programme_id,
        partition_key = excluded.partition_key, emitted_at = excluded.emitted_at, traceparent = excluded.traceparent,
        body = excluded.body, due_at = excluded.due_at
""")
_TRACES = "popcandy.traces"
_CANCEL = text("DELETE FROM outbox WHERE timer_key = :key RETURNING event_id")


class Lane(StrEnum):
    """Which way a row leaves: facts to the exchange, wake-ups to the workers' queue; neither waits for the other."""

    EVENT = "event"
    TASK = "task"

    @property
    def channel(self) -> str:
        """Name the signal that says: there is something to relay."""
        return f"outbox_{self.value}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One row on its way out, before it has a position."""

    id: UUID
    type: str
    programme_id: UUID | None
    partition_key: str
    body: str
    of: object = None  # The person whose call tells it, where several calls are carried out together.


def trace_each(tx: Session, traceparents: Mapping[object, str]) -> None:
    """Send what this session tells of these people along with the trace of each one's own call."""
    tx.info[_TRACES] = traceparents


def emit(tx: Session, *events: Event, at: datetime | None = None, key: str | None = None) -> None:
    """Tell these facts once the transaction commits, in this order, and never if it does not.

    With `at` they wait for that instant of the programme's clock, a past one being due at once. With `key` too, of one
    event, it can be cancelled until then, and replaces what waits under the same key. Raises ValueError for a key
    without an instant or with several events.
    """
    if key is not None:
        _emit_under(tx, events, at, key)
    else:
        emit_all(tx, events, at=at)


def emit_all(tx: Session, events: Sequence[Event], *, at: datetime | None = None, of: Sequence[object] = ()) -> None:
    """Do the same for many, with one statement for each few thousand; `of` are the people whose calls tell them."""
    new = zip(events, new_ids(len(events)), of or [None] * len(events), strict=True)
    post(tx, Lane.EVENT, [_parcel(event, event_id, person) for event, event_id, person in new], at=at)


def cancel(tx: Session, key: str) -> bool:
    """Take back what waits under `key`; False if there is nothing: it was told already, cancelled, or never emitted."""
    return tx.execute(_CANCEL, {"key": key}).first() is not None


def post(
    tx: Session, lane: Lane, parcels: Sequence[Parcel], *, at: datetime | None = None, after: datetime | None = None
) -> None:
    """Put rows into the outbox in this order, and have the relay told once the transaction commits.

    They wait for `at` by the programme's clock, or for `after` by the server's, which is for back-off.
    """
    constants = {
        "lane": lane.value,
        "emitted_at": clock.now(),
        "due_at": at,
        "next_try_at": after,
    }
    own, traces = telemetry.traceparent(), tx.info.get(_TRACES, {})
    for start in range(0, len(parcels), CHUNK):
        chunk = parcels[start : start + CHUNK]
        traced = {"traces": packed.texts(traces.get(parcel.of, own) for parcel in chunk)}
        tx.execute(_INSERT, _columns(chunk) | traced | constants)
    if parcels:
        notify_after_commit(tx, lane.channel)


def _emit_under(tx: Session, events: Sequence[Event], at: datetime | None, key: str) -> None:
    if at is None or len(events) != 1:
        raise ValueError("a key goes with one event and the instant at which it is due")
    parcel = _parcel(events[0], new_id())
    row = {
        "id": parcel.id,
        "type": parcel.type,
        "programme": parcel.programme_id,
        "key": parcel.partition_key,
        "emitted_at": clock.now(),
        "traceparent": telemetry.traceparent(),
        "body": parcel.body,
        "due_at": at,
        "timer_key": key,
    }
    tx.execute(_REPLACE, row)
    notify_after_commit(tx, Lane.EVENT.channel)


def _parcel(event: Event, event_id: UUID, person: object = None) -> Parcel:
    return Parcel(event_id, event.type, event.programme_id, event.partition_key, event.model_dump_json(), person)


def _columns(parcels: Sequence[Parcel]) -> dict[str, object]:
    return {
        "ids": packed.uuids(parcel.id for parcel in parcels),
        "types": packed.texts(parcel.type for parcel in parcels),
        "programmes": packed.uuids(parcel.programme_id for parcel in parcels),
        "keys": packed.texts(parcel.partition_key for parcel in parcels),
        "bodies": packed.texts(parcel.body for parcel in parcels),
    }
