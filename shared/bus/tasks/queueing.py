"""`task`: work is asked for in the transaction that made it necessary, at once or at its time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.outbox import CHUNK, Lane, Parcel, post
from shared.ids import new_id

Argument: TypeAlias = str | int | bool | UUID | datetime | date | None
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")

_QUEUE = text("""
    INSERT INTO task_run (id, task, key, arguments, programme_id, traceparent)
    SELECT id, :task, key, arguments, :programme, :traceparent
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:arguments AS text[]))
        WITH ORDINALITY AS r(id, key, arguments, place)
    ORDER BY place
    ON CONFLICT (task, key) WHERE key IS NOT NULL DO NOTHING RETURNING id
""")
_KEYED = text("SELECT key, id FROM task_run WHERE task = :task AND key = ANY(CAST(:keys AS text[]))")


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work, named `<service>.<what it does>`; its function is somewhere else, and may be loaded elsewhere."""

    name: str

    def __post_init__(self) -> None:
        """Check the name. Raises ValueError."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not of the form service.task")


def task(
    tx: Session, what: Task, *arguments: Argument, key: str | None = None, at: datetime | None = None,
    programme_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Have this done once the transaction commits, and never if it does not; return the run's id.

    With `at` it waits for that instant of the programme's clock. What has the same task and `key` is one run for good:
    asking again returns the first one's id. Raises TypeError or ValueError for arguments that do not survive JSON.
    """
    keys = None if key is None else [key]
    return task_all(tx, what, [arguments], keys=keys, at=at, programme_id=programme_id)[0]


def task_all(
    tx: Session, what: Task, calls: Sequence[Sequence[Argument]], *, keys: Sequence[str] | None = None,
    at: datetime | None = None, programme_id: UUID | None = None,
) -> list[UUID]:  # fmt: skip
    """Do the same for many, with two statements for each few thousand; `keys` are one for each call."""
    if keys is not None and len(keys) != len(calls):
        raise ValueError(f"{len(calls)} calls with {len(keys)} keys")
    ids: list[UUID] = []
    with telemetry.trace(telemetry.traceparent()):  # One, even where none is bound.
        for start in range(0, len(calls), CHUNK):
            some = slice(start, start + CHUNK)
            arguments = [_encoded(call) for call in calls[some]]
            ids += _queue(tx, what, arguments, None if keys is None else keys[some], at=at, programme_id=programme_id)
    return ids


def _queue(
    tx: Session, what: Task, arguments: list[str], keys: Sequence[str] | None, *,
    at: datetime | None, programme_id: UUID | None,
) -> list[UUID]:  # fmt: skip
    ids = [new_id() for _ in arguments]
    row = {
        "task": what.name,
        "programme": programme_id,
        "traceparent": telemetry.traceparent(),
        "ids": ids,
        "keys": [None] * len(ids) if keys is None else list(keys),
        "arguments": arguments,
    }
    queued = set(tx.scalars(_QUEUE, row))
    post(tx, Lane.TASK, [wake_up_of(each, what.name, programme_id) for each in ids if each in queued], at=at)
    if keys is None or len(queued) == len(ids):
        return ids
    known = {row.key: row.id for row in tx.execute(_KEYED, {"task": what.name, "keys": list(keys)})}
    return [known[key] for key in keys]


def wake_up_of(run_id: UUID, task_name: str, programme_id: UUID | None, *, again: bool = False) -> Parcel:
    """Make the outbox row that tells a worker of a run.

    The first wake-up has the run's own id, by which the sweeper sees that it still waits; one that is sent `again` has
    an id of its own, for the first may just be leaving.
    """
    body = orjson.dumps({"run": run_id}).decode()
    return Parcel(new_id() if again else run_id, task_name, programme_id, str(run_id), body)


def _encoded(call: Sequence[Argument]) -> str:
    for value in call:
        if not isinstance(value, str | int | UUID | date | None):  # A bool is an int, a datetime a date.
            raise TypeError(f"{type(value).__name__} is no argument of a task")
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("a task's instant needs a time zone")
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("a task's text must not hold a NUL character")
    return orjson.dumps(list(call)).decode()
