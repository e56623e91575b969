"""What a function that does a task may ask for."""

from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from shared import clock
from shared.bus.tasks import runs
from shared.bus.tasks.runs import Held
from shared.database.sessions import Database


class LeaseLost(Exception):
    """Another worker has taken the run over, for this one was taken for dead."""


class Job:
    """One try of one run."""

    def __init__(self, database: Database, run: Held) -> None:
        """Work for `run`, which this process holds."""
        self._database = database
        self._run = run
        self.is_finished = False

    @property
    def id(self) -> UUID:
        """The run; the same on each try, so that it can be a key with somebody else."""
        return self._run.id

    @property
    def attempt(self) -> int:
        """Which try this is, beginning with 1."""
        return self._run.attempt

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a short transaction of the service's database; as many as are wanted, one after the other."""
        return self._database.transaction()

    def now(self) -> datetime:
        """Read the clock."""
        return clock.now()

    def progress(self, done: int, total: int) -> None:
        """Let others see how far this has come, in a transaction of its own. Raises LeaseLost."""
        with self._database.transaction() as tx:
            if not runs.progress(tx, self._run, done=done, total=total):
                raise LeaseLost(f"{self._run.task} {self.id}")

    def finish(self, tx: Session) -> None:
        """Mark the run as done in this very transaction, so that its effect and its mark are one. Raises LeaseLost.

        For work that is a single transaction: it has its effect exactly once. Nothing may follow it.
        """
        if not runs.finish(tx, self._run):
            raise LeaseLost(f"{self._run.task} {self.id}")
        self.is_finished = True
