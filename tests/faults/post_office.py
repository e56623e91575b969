"""A process that does tasks with the product's own parts, and stops, fails or knows nothing as a test tells it.

`python -m tests.faults.post_office --database … --manner stop_before`. What it sends are rows of the table `mail`, one
for each letter, as a post office would that knows a letter by its key.
"""

import argparse
import signal
import sys
import threading
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from types import FrameType
from uuid import UUID

from sqlalchemy import text

from launch.workers import Crew
from shared import bus
from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import Sweeper
from shared.bus.tasks.workers import LocalBroker, LocalTasks, Workers
from shared.database.server import Server
from tests.shared.bus.tasks.places import BlockingTasks
from tests.shared.bus.tasks.pumping import Pump
from tests.waiting import until

SERVICE = "probe"
SEND = bus.Task("probe.send_letter")
MAIL = "CREATE TABLE mail (letter_id uuid PRIMARY KEY, attempt integer NOT NULL)"
MAX_RETRIES = 1
_WRITE = text("INSERT INTO mail VALUES (:letter_id, :attempt) ON CONFLICT DO NOTHING")


class Manner(StrEnum):
    """How the process does what it is asked for."""

    DO = "do"
    STOP_BEFORE = "stop_before"  # It stops for good before it sends.
    STOP_BEHIND = "stop_behind"  # It stops for good when it has sent, before that is written down.
    FAIL_FIRST = "fail_first"  # The first try fails, once the test says so.
    WAIT = "wait"  # It sends once the test says so.
    KNOW_NOTHING = "know_nothing"  # It is of a release that does not have the task.


class PostOffice:
    """The work, done in a manner; `marker` is touched when it has come to its point, `marker.go` lets it go on."""

    def __init__(self, manner: Manner, marker: Path) -> None:
        self.manner = manner
        self.marker = marker

    def send(self, job: bus.Job, letter_id: UUID) -> None:
        """Send one letter."""
        if self.manner is Manner.STOP_BEFORE:
            self._stop()
        if self.manner is Manner.WAIT or (self.manner is Manner.FAIL_FIRST and job.attempt == 1):
            self._wait()
        with job.transaction() as tx:
            tx.execute(_WRITE, {"letter_id": letter_id, "attempt": job.attempt})
        if self.manner is Manner.STOP_BEHIND:
            self._stop()

    def _stop(self) -> None:
        self.marker.touch()
        Flag().wait()

    def _wait(self) -> None:
        self.marker.touch()
        until(self.marker.with_suffix(".go").exists, timeout=60, missing="the test's word")
        if self.manner is Manner.FAIL_FIRST:
            raise ConnectionError("the post office is closed")

    @property
    def works(self) -> list[bus.Work]:
        if self.manner is Manner.KNOW_NOTHING:
            return []
        return [bus.work(SEND, max_retries=MAX_RETRIES, time_limit_ms=60_000, backoff_seconds=0.1)(self.send)]


def main() -> None:
    """Work until told to end, or until killed."""
    told = _arguments()
    database = Server(told.database, prefix=told.prefix).open("activities", pool_size=8)
    runner = Runner(database, PostOffice(told.manner, told.marker).works, lease_seconds=told.lease)
    sweeper = Sweeper(database, patience_seconds=2)
    crew = Crew()

    def end(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=crew.stop.set).start()  # The thread interrupted here may hold its lock.

    signal.signal(signal.SIGTERM, end)
    if told.amqp:
        pump = Pump(database, BlockingTasks(told.amqp), service=SERVICE)
        workers = Workers(QuorumBroker(told.amqp), runner, service=SERVICE, threads=2)
    else:
        sweeper.begin_anew()
        broker = LocalBroker()
        pump = Pump(database, LocalTasks(broker), service=SERVICE)
        workers = Workers(broker, runner, service=SERVICE, threads=2)
    for name, work in {"worker": workers.run, "sweeper": sweeper.run, "relay": pump.run}.items():
        crew.start(name, work)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not crew.stop.wait(0.1):
        pass
    crew.finish()
    late = [thread.name for thread in threading.enumerate() if thread.name in {"worker", "sweeper", "relay"}]
    sys.exit(f"failed: {crew.failed}, late: {late}" if crew.failed or late else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--amqp", default="")
    parser.add_argument("--manner", type=Manner, default=Manner.DO)
    parser.add_argument("--marker", type=Path, required=True)
    parser.add_argument("--lease", type=float, default=2.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
