"""Work for tests: it writes mails into a table of its own, and fails where a test wants it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from structlog.contextvars import get_contextvars

from shared import bus
from shared.database.sessions import Database
from shared.errors import Conflict, Title
from tests.shared.bus.running import Owner

MAIL = """
    CREATE TABLE IF NOT EXISTS mail (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, letter_id uuid NOT NULL, attempt integer, trace_id text
    )
"""
_WRITE = text("INSERT INTO mail (letter_id, attempt, trace_id) VALUES (:letter_id, :attempt, :trace_id)")
SEND = bus.Task("probe.send_letter")


class Unwanted(Conflict):
    """The addressee wants no letters."""

    code = "unwanted"
    title = Title(zh="不再接收", en="Not wanted")


class Broken(Exception):
    """The post office is on fire."""


@dataclass(frozen=True)
class Run:
    """What stands in a run's row."""

    state: str
    attempts: int
    error: str | None
    waits: bool
    is_held: bool
    wakes: int
    progress: tuple[int | None, int | None]


def send(job: bus.Job, letter_id: UUID) -> None:
    """Write a mail down, with the trace that is bound."""
    with job.transaction() as tx:
        trace_id = get_contextvars().get("trace_id")
        tx.execute(_WRITE, {"letter_id": letter_id, "attempt": job.attempt, "trace_id": trace_id})


def doing(
    run: Callable[[bus.Job, UUID], None] = send, *, max_retries: int = 2, time_limit_ms: int = 10_000
) -> bus.Work:
    """Make a function the work of the task `SEND`."""
    return bus.work(SEND, max_retries=max_retries, time_limit_ms=time_limit_ms, backoff_seconds=0.01)(run)


def raising(error: Exception) -> Callable[[bus.Job, UUID], None]:
    """Make work that does something first and fails then, so that a failure has something to leave behind."""

    def fail(job: bus.Job, letter_id: UUID) -> None:
        send(job, letter_id)
        raise error

    return fail


def ask(database: Database, letter_id: UUID, **options: Any) -> UUID:
    """Queue one run."""
    with database.transaction() as tx:
        return bus.task(tx, SEND, letter_id, **options)


def run_of(owner: Owner, run_id: UUID) -> Run:
    ((state, attempts, error, waits, is_held, wakes, done, total),) = owner.execute(
        """
        SELECT state, attempts, error, next_try_at > now() IS TRUE, lease IS NOT NULL, wakes,
            progress_done, progress_total
        FROM task_run WHERE id = :id
        """,
        id=run_id,
    )
    return Run(state, attempts, error, waits, is_held, wakes, (done, total))  # type: ignore[arg-type]  # As the columns.


def states(owner: Owner) -> dict[str, int]:
    """Count the runs by state."""
    return {str(state): int(str(count)) for state, count in owner.execute(
        "SELECT state, count(*) FROM task_run GROUP BY state"
    )}  # fmt: skip


def mails(owner: Owner) -> list[UUID]:
    return [UUID(str(letter_id)) for (letter_id,) in owner.execute("SELECT letter_id FROM mail ORDER BY place")]


def hasten(owner: Owner) -> None:
    """Let the time of every wait be over."""
    owner.execute("UPDATE task_run SET next_try_at = now() WHERE next_try_at IS NOT NULL")
    owner.execute("UPDATE outbox SET next_try_at = now() WHERE next_try_at IS NOT NULL")


def expire(owner: Owner) -> None:
    """Let the lease of whoever holds a run be over."""
    owner.execute("UPDATE task_run SET lease_until = now() - interval '1 s' WHERE state = 'running'")


def graves(owner: Owner) -> list[tuple[object, ...]]:
    """Return reason, task and attempts of what was buried."""
    return owner.execute("SELECT reason, handler, attempts FROM dead_letter ORDER BY died_at")
