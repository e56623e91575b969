"""The net under the wake-ups: what was lost on the way is woken again, what its worker has left is taken back.

Several sweepers at once do no harm, for each takes rows that no other has in hand.
"""

import time
from collections.abc import Collection
from datetime import timedelta
from threading import Event as Flag

from sqlalchemy import TextClause, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.outbox import CHUNK, Lane, post
from shared.bus.patience import pause
from shared.bus.tasks.queueing import wake_up_of
from shared.database.faults import may_pass
from shared.database.sessions import Database
from shared.privacy import retention

SWEEP_SECONDS = 2.0
FORGET_SECONDS = 600.0  # Between two looks for old runs.

log = telemetry.get_logger()

# Plans and statistics may be of a time when there was nothing to do; a loop within a loop would then read the whole
# outbox for each of thousands of runs.
_NO_LOOPS = text("SET LOCAL enable_nestloop = off")
# A wake-up may wait in the broker behind thousands of others: after a minute one more is sent, after two, after four.
# A run that has one in the outbox still, for want of a broker or of its hour, needs none; most such have no `woken_at`.
_FORGOTTEN = text("""
    UPDATE task_run SET wakes = wakes + 1, woken_at = NULL WHERE id IN (
        SELECT id FROM task_run AS run
        WHERE state = 'queued' AND (next_try_at IS NULL OR next_try_at <= now())
            AND woken_at < now() - :seconds * interval '1 s'
            AND woken_at < now() - least(power(2, least(wakes, 6) - 1), 30) * :seconds * interval '1 s'
            AND NOT EXISTS (SELECT FROM outbox WHERE lane = 'task' AND partition_key = CAST(run.id AS text))
        ORDER BY woken_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, task, programme_id
""")
# What the relay does with rows that have left: from here on their runs' patience counts.
SENT = text("""
    WITH gone AS (DELETE FROM outbox WHERE event_id = ANY(CAST(:ids AS uuid[])) RETURNING partition_key)
    UPDATE task_run SET woken_at = now()
    WHERE state = 'queued' AND id IN (SELECT CAST(partition_key AS uuid) FROM gone)
""")
_LEFT = text("""
    UPDATE task_run SET state = 'queued', lease = NULL, lease_until = NULL, wakes = 1, woken_at = NULL,
        error = 'its worker has fallen silent'
    WHERE id IN (
        SELECT id FROM task_run WHERE state = 'running' AND lease_until < now() LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, task, programme_id
""")
_VOID = text("""
    UPDATE task_run SET state = 'queued', lease = NULL, lease_until = NULL, wakes = 1, woken_at = 'epoch'
    WHERE id IN (
        SELECT id FROM task_run
        WHERE state = 'running'
            OR state = 'queued' AND woken_at > 'epoch' AND (next_try_at IS NULL OR next_try_at <= now())
        LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_OPEN = text("""
    SELECT count(*) FROM task_run AS run WHERE state = 'running' OR state = 'queued'
        AND (next_try_at IS NULL OR next_try_at <= now())
        AND NOT EXISTS (SELECT FROM outbox WHERE event_id = run.id AND due_at IS NOT NULL)
""")
_FORGET = text("""
    DELETE FROM task_run WHERE id IN (
        SELECT id FROM task_run WHERE state = 'done' AND finished_at < now() - :age
            AND (key IS NULL OR task = ANY(CAST(:timers AS text[])))
        LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


class Sweeper:
    """Sweeps one service's runs, every two seconds, and forgets those that were done a month ago."""

    def __init__(self, database: Database, *, patience_seconds: float = 60.0, timers: Collection[str] = ()) -> None:
        """Wait for a wake-up that long before another is sent; `timers` are names of tasks that timers fire."""
        self.database = database
        self.patience_seconds = patience_seconds
        self.timers = timers
        self._forget_at = 0.0

    def begin_anew(self) -> None:
        """Take back every run, a part at a time, to be woken on the next sweep.

        This is for a process that holds the only broker there is, before its workers begin: nobody else works, and
        what was in its broker is lost.
        """
        while self._void() == CHUNK:
            pass

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                woken = self.sweep()
                self.forget_old()
                failures = 0
            except SQLAlchemyError as error:
                if not may_pass(error):
                    raise
                failures += 1
                log.warning("sweeper.database_away", failures=failures, error=str(error))
                stop.wait(pause(failures))
            else:
                stop.wait(0 if woken else SWEEP_SECONDS)

    def sweep(self) -> int:
        """Wake some of what needs it; return how many runs that were."""
        return self._wake(_LEFT) + self._wake(_FORGOTTEN, seconds=self.patience_seconds)

    def forget_old(self) -> None:
        """Delete old runs, a part at a time."""
        if time.monotonic() < self._forget_at:
            return
        with self.database.transaction() as tx:
            forgotten = forget(tx, age=retention.age("task_runs"), limit=CHUNK, timers=self.timers)
        if forgotten < CHUNK:
            self._forget_at = time.monotonic() + FORGET_SECONDS

    def _void(self) -> int:
        with self.database.transaction() as tx:
            return len(tx.execute(_VOID, {"limit": CHUNK}).all())

    def _wake(self, which: TextClause, **values: object) -> int:
        with self.database.transaction() as tx:
            tx.execute(_NO_LOOPS)
            rows = tx.execute(which, values | {"limit": CHUNK}).all()
            post(tx, Lane.TASK, [wake_up_of(row.id, row.task, row.programme_id, again=True) for row in rows])
        if rows:
            log.info("sweeper.woken", runs=len(rows))
        return len(rows)


def count_open(tx: Session) -> int:
    """Count the runs that are being done, or could be now."""
    return int(tx.execute(_OPEN).scalar_one())


def forget(tx: Session, *, age: timedelta, limit: int, timers: Collection[str] = ()) -> int:
    """Delete runs that have been done for so long, at most `limit`; return how many.

    Failed runs stay for whoever looks into them, and keyed ones for good: the row is what makes a key unique. The runs
    of `timers` go nevertheless, for a schedule never comes back to an instant.
    """
    values = {"age": age, "limit": limit, "timers": list(timers)}
    return len(tx.execute(_FORGET, values).all())
