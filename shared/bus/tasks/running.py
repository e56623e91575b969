"""One try of one run: lease it, do it with no transaction open, write down how it went."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event as Flag
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.burial import Cause, Reason
from shared.bus.patience import pause
from shared.bus.tasks import runs
from shared.bus.tasks.job import Job
from shared.bus.tasks.limits import LEASE_SECONDS, Leases, Limits, Stopped
from shared.bus.tasks.runs import Held
from shared.bus.tasks.work import LONGEST_BACKOFF_SECONDS, MismatchedArguments, Work
from shared.database.faults import may_pass
from shared.database.sessions import Database
from shared.errors import Refusal

T = TypeVar("T")
Outcome = Callable[[Session], bool]  # Writes it; False if the run is no longer ours.

log = telemetry.get_logger()


class Runner:
    """Does the runs of one service, in as many threads as call it."""

    def __init__(self, database: Database, works: Iterable[Work], *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Do `works` on `database`. Raises ValueError if two of them are the same task."""
        self.database = database
        self.works: dict[str, Work] = {}
        for work in works:
            if self.works.setdefault(work.task.name, work) is not work:
                raise ValueError(f"{work.task.name} is done by two functions")
        self.limits = Limits()
        self.leases = Leases(database, seconds=lease_seconds)
        self.stopping = Flag()

    def run(self, run_id: UUID) -> None:
        """Do what a wake-up asks for, if it is still to be done and nobody does it.

        Whatever happens to the run is written down; only a database that stays away while the process ends is raised.
        """
        held = self._patiently(partial(self._take, run_id))
        if held is not None:
            with telemetry.trace(held.traceparent), self.leases.held(held.lease, limit_ms=self._limit_of(held)):
                outcome = self._outcome(self.works[held.task], held)
                self._patiently(partial(self._write, held, outcome))

    def stop(self, *, seconds: float) -> None:
        """Let what runs come to its end for so long, and put it back then."""
        self.stopping.set()
        self.limits.end_within(seconds)

    def _limit_of(self, held: Held) -> int:
        return self.works[held.task].time_limit_ms

    def _take(self, run_id: UUID) -> Held | None:
        with self.database.transaction() as tx:
            held = runs.take(tx, run_id, known=self.works.keys(), seconds=self.leases.seconds)
            if held is None:
                runs.await_knowledge(tx, run_id, known=self.works.keys())
            return held

    def _outcome(self, work: Work, held: Held) -> Outcome:
        """Do the work, and say how it went."""
        if held.attempt > work.max_retries + 1:
            why = f"its process ended, or fell silent, on each of {held.attempt - 1} tries"
            return partial(runs.fail, run=held, cause=Cause(Reason.KILLED, why, attempts=held.attempt - 1))
        job = Job(self.database, held)
        try:
            arguments = work.decoded(held.arguments)
            with self.limits.within(work.time_limit_ms):
                work(job, *arguments)
        except Refusal as error:
            return _failed(held, Reason.REFUSED, error)
        except MismatchedArguments as error:
            return _failed(held, Reason.BROKEN_BODY, error)
        except Stopped:
            return partial(runs.put_back, run=held)
        except BaseException as error:  # noqa: BLE001  Whatever it raises is this run's fate, not the worker's.
            return _tried(work, held, error)
        return (lambda _tx: True) if job.is_finished else partial(runs.finish, run=held)

    def _write(self, held: Held, outcome: Outcome) -> None:
        with self.database.transaction() as tx:
            is_ours = outcome(tx)
        if not is_ours:
            log.warning("task.lease_lost", task=held.task, run=str(held.id), attempt=held.attempt)

    def _patiently(self, step: Callable[[], T]) -> T:
        """Take a step as often as it fails for reasons that pass; the message in hand waits, and holds others back."""
        failures = 0
        while True:
            try:
                return step()
            except SQLAlchemyError as error:
                failures += 1
                log.warning("task.database_away", failures=failures, error=str(error))
                if not may_pass(error) or self.stopping.wait(pause(failures)):
                    raise


def _failed(held: Held, reason: Reason, error: BaseException) -> Outcome:
    log.error("task.failed", task=held.task, run=str(held.id), attempt=held.attempt, error=str(error))
    return partial(runs.fail, run=held, cause=Cause.of(reason, error, attempts=held.attempt))


def _tried(work: Work, held: Held, error: BaseException) -> Outcome:
    """Queue it once more as long as there are tries left, later each time."""
    if held.attempt > work.max_retries:
        return _failed(held, Reason.FAILED, error)
    longest = min(work.backoff_seconds * 2.0 ** (held.attempt - 1), LONGEST_BACKOFF_SECONDS)
    seconds = longest * random.uniform(0.5, 1)  # noqa: S311  Not a secret.
    log.warning("task.tried", task=held.task, run=str(held.id), attempt=held.attempt, error=str(error))
    cause = Cause.of(Reason.FAILED, error, attempts=held.attempt)
    return partial(runs.retry, run=held, cause=cause, seconds=seconds)
