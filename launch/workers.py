"""Threads that run until told to stop, and whose death nobody can overlook."""

import threading
import time
from collections.abc import Callable
from threading import Event as Flag

from shared import telemetry

JOIN_SECONDS = 28.0  # For all together: workers end in 25 s (shared/bus/tasks/workers.py), containers are killed at 30.

log = telemetry.get_logger()


class Crew:
    """A process's background threads. When one of them fails all are told to stop, and `failed` says which."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.stop = Flag()
        self.failed: str | None = None
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[Flag], None]) -> None:
        """Run `work` in a thread of its own until the crew's `stop` is set."""
        thread = threading.Thread(target=self._run, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, name: str, work: Callable[[Flag], None]) -> None:
        try:
            work(self.stop)
        except BaseException as error:  # Whatever ends a worker early must end the process, in sight.
            log.critical("worker.failed", worker=name, exc_info=error)
        if not self.stop.is_set():
            self.failed = self.failed or name
            self.stop.set()

    def finish(self) -> None:
        """Tell everybody to stop and wait for what they have in hand."""
        self.stop.set()
        deadline = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
