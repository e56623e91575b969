"""The states of a run, and each step between them as one statement.

queued → running → done | failed | queued again. Whoever writes an outcome must still hold the lease: what was taken
over by another is left alone. Times are the server's, for this is machinery (PITFALLS T8 is about the programme's).

Whoever queues a run posts its wake-up in the same transaction; `woken_at` says when that has left, NULL until then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.bus.burial import Address, Cause, Origin, Reason, bury, storable
from shared.bus.outbox import Lane, post
from shared.bus.tasks.queueing import wake_up_of
from shared.bus.transport import Delivery

ERROR_CHARACTERS = 2_000
LONGEST_WAIT_SECONDS = 600
UNKNOWN_WAKES = 150  # A day: nine waits until they are the longest, then 144 a day.

_LEASE = text("""
    UPDATE task_run SET state = 'running', attempts = attempts + 1, started_at = now(), next_try_at = NULL,
        lease = gen_random_uuid(), lease_until = now() + :seconds * interval '1 s'
    WHERE id = :id AND task = ANY(CAST(:known AS text[])) AND (
        state = 'queued' AND (next_try_at IS NULL OR next_try_at <= now()) OR state = 'running' AND lease_until < now()
    )
    RETURNING id, task, arguments, programme_id, traceparent, attempts, lease
""")
_RENEW = text("""
    UPDATE task_run SET lease_until = now() + :seconds * interval '1 s'
    WHERE lease = ANY(CAST(:leases AS uuid[])) AND state = 'running'
""")
_PROGRESS = text("""
    UPDATE task_run SET progress_done = :done, progress_total = :total WHERE id = :id AND lease = :lease RETURNING id
""")
_FINISH = text("""
    UPDATE task_run SET state = 'done', finished_at = now(), lease = NULL, lease_until = NULL,
        error = NULL, stack = NULL
    WHERE id = :id AND lease = :lease RETURNING id
""")
_FAIL = text("""
    UPDATE task_run SET state = 'failed', finished_at = now(), lease = NULL, lease_until = NULL,
        error = :error, stack = :stack
    WHERE id = :id AND lease = :lease RETURNING id
""")
_RETRY = text("""
    UPDATE task_run SET state = 'queued', lease = NULL, lease_until = NULL, error = :error, stack = :stack,
        next_try_at = now() + :seconds * interval '1 s', wakes = 1, woken_at = NULL
    WHERE id = :id AND lease = :lease RETURNING next_try_at
""")
_PUT_BACK = text("""
    UPDATE task_run SET state = 'queued', lease = NULL, lease_until = NULL, attempts = attempts - 1,
        wakes = 1, woken_at = NULL
    WHERE id = :id AND lease = :lease RETURNING id
""")
_UNKNOWN = text("""
    SELECT task, programme_id, wakes FROM task_run
    WHERE id = :id AND state = 'queued' AND (next_try_at IS NULL OR next_try_at <= now())
        AND task <> ALL(CAST(:known AS text[]))
    FOR UPDATE SKIP LOCKED
""")
_WAIT = text("""
    UPDATE task_run SET error = 'no worker knows this task', wakes = wakes + 1,
        next_try_at = now() + least(power(2, least(wakes, 10)), :longest) * interval '1 s',
        woken_at = NULL
    WHERE id = :id RETURNING next_try_at
""")
_AGAIN = text("""
    UPDATE task_run SET state = 'queued', attempts = 0, finished_at = NULL, error = NULL, stack = NULL,
        progress_done = NULL, progress_total = NULL, queued_at = now(), wakes = 1, woken_at = NULL
    WHERE id = :id AND state = 'failed' RETURNING task, programme_id
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A run that this process holds, by its lease."""

    id: UUID
    task: str
    arguments: str
    programme_id: UUID | None
    traceparent: str
    attempt: int
    lease: UUID


def take(tx: Session, run_id: UUID, *, known: Collection[str], seconds: float) -> Held | None:
    """Lease a run and count the try; None if there is nothing to do: it is done, elsewhere, not due, or not known."""
    row = tx.execute(_LEASE, {"id": run_id, "known": list(known), "seconds": seconds}).first()
    return Held(*row) if row is not None else None


def renew(tx: Session, leases: Collection[UUID], *, seconds: float) -> None:
    """Keep what is still held for that much longer."""
    tx.execute(_RENEW, {"leases": list(leases), "seconds": seconds})


def progress(tx: Session, run: Held, *, done: int, total: int) -> bool:
    """Write how far a run has come; False if it is no longer held, as in all that follows."""
    return _is_held(tx.execute(_PROGRESS, _of(run) | {"done": done, "total": total}).first())


def finish(tx: Session, run: Held) -> bool:
    """Write that it is done."""
    return _is_held(tx.execute(_FINISH, _of(run)).first())


def fail(tx: Session, run: Held, cause: Cause) -> bool:
    """Write that it is over, and why; the dead letter is how it is tried again."""
    if not _is_held(tx.execute(_FAIL, _of(run) | _why(cause)).first()):
        return False
    bury(tx, _letter(run), cause, Address(Origin.TASK, run.task, run.id, run.task))
    return True


def retry(tx: Session, run: Held, cause: Cause, *, seconds: float) -> bool:
    """Queue it once more, to be woken in so many seconds of the server's clock."""
    due = tx.execute(_RETRY, _of(run) | _why(cause) | {"seconds": seconds}).scalar()
    if due is None:
        return False
    post(tx, Lane.TASK, [wake_up_of(run.id, run.task, run.programme_id, again=True)], after=due)
    return True


def put_back(tx: Session, run: Held) -> bool:
    """Queue it once more at once, as if this try had not been: the process ends, through no fault of the run's."""
    if not _is_held(tx.execute(_PUT_BACK, _of(run)).first()):
        return False
    post(tx, Lane.TASK, [wake_up_of(run.id, run.task, run.programme_id, again=True)])
    return True


def try_again(tx: Session, run_id: UUID) -> bool:
    """Queue a failed run anew, with all its tries, as its dead letter is replayed; False if there is none such."""
    row = tx.execute(_AGAIN, {"id": run_id}).first()
    if row is None:
        return False
    post(tx, Lane.TASK, [wake_up_of(run_id, row.task, row.programme_id, again=True)])
    return True


def await_knowledge(tx: Session, run_id: UUID, *, known: Collection[str]) -> None:
    """Queue a run once more that nobody here knows how to do, for another release may; after a day it fails.

    Any other run is left as it is.
    """
    row = tx.execute(_UNKNOWN, {"id": run_id, "known": list(known)}).first()
    if row is None:
        return
    if row.wakes < UNKNOWN_WAKES:
        due = tx.execute(_WAIT, {"id": run_id, "longest": LONGEST_WAIT_SECONDS}).scalar_one()
        post(tx, Lane.TASK, [wake_up_of(run_id, row.task, row.programme_id, again=True)], after=due)
    elif held := take(tx, run_id, known=[row.task], seconds=0):
        fail(tx, held, Cause(Reason.UNKNOWN_TYPE, f"{row.task}: no worker knows this task"))


def _is_held(row: Row[Any] | None) -> bool:
    return row is not None


def _of(run: Held) -> dict[str, object]:
    return {"id": run.id, "lease": run.lease}


def _why(cause: Cause) -> dict[str, object]:
    return {"error": storable(cause.error)[:ERROR_CHARACTERS], "stack": cause.stack and storable(cause.stack)}


def _letter(run: Held) -> Delivery:
    """Write down what was to be done as if it had been a letter; it is the same one however often the run dies."""
    headers = {"ce-id": str(run.id), "ce-type": run.task, "ce-traceparent": run.traceparent}
    if run.programme_id is not None:
        headers["ce-programmeid"] = str(run.programme_id)
    return Delivery(headers, run.arguments.encode(), run.task, redelivered=False, receipt=None)
