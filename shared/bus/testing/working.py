"""A service's timers and tasks, done in the caller's thread: no dramatiq, no threads, the same rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from shared.bus.outbox import Lane
from shared.bus.relay import Relay, Route
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import SENT
from shared.bus.tasks.work import Work
from shared.bus.timers import Scheduler, Timer
from shared.bus.transport import Letter, Outcome
from shared.database.sessions import Database

# A retry is due by the server's clock, which no test moves: it is done at once.
_NO_BACK_OFF = (
    text("UPDATE outbox SET next_try_at = NULL WHERE lane = 'task' AND next_try_at IS NOT NULL"),
    text("UPDATE task_run SET next_try_at = NULL WHERE state = 'queued' AND next_try_at IS NOT NULL"),
)


class Working:
    """Fires what is due and does what is queued, each run as often as its limits allow."""

    def __init__(self, database: Database, tasks: Sequence[Work], timers: Sequence[Timer], *, service: str) -> None:
        """Work for a service; its timers are armed from the first turn on."""
        self._database = database
        self._runner = Runner(database, [*tasks, *(timer.work for timer in timers)])
        self._scheduler = Scheduler(database, timers)
        self._relay = Relay(database, self, service=service, route=Route(Lane.TASK, _letter, SENT))
        self._woken: list[UUID] = []
        self._is_installed = False

    def turn(self) -> int:
        """Do what is there to do now; return how many runs were fired or woken."""
        fired = self._fire()
        with self._database.transaction() as tx:
            for statement in _NO_BACK_OFF:
                tx.execute(statement)
        with self._database.engine.connect() as connection:
            while self._relay.pump(connection):
                pass
        woken, self._woken = self._woken, []
        for run_id in woken:
            self._runner.run(run_id)
        return fired + len(woken)

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Take wake-ups, as the workers' queue does."""
        self._woken += [UUID(orjson.loads(letter.body)["run"]) for letter in letters]
        return {letter.id: Outcome.CONFIRMED for letter in letters}

    def _fire(self) -> int:
        if not self._is_installed:
            self._scheduler.install()
            self._is_installed = True
        return self._scheduler.tick()


def _letter(service: str, row: Row[Any]) -> Letter:
    return Letter(row.event_id, service, {}, row.body.encode())
