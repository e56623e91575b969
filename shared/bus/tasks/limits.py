"""Time limits of what runs in threads, and leases that stay alive as long as their holder does.

dramatiq's own TimeLimit covers a whole message: it may strike while the outcome is being written, or between two
messages, which ends the thread. Here a limit covers the function alone, and is lifted for certain when that returns.
"""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from shared import telemetry
from shared.bus.tasks import runs
from shared.database.sessions import Database

TICK_SECONDS = 0.1
LEASE_SECONDS = 20.0
_RENEWALS = 4  # In the time of a lease: three may be lost.
_OVERTIME_SECONDS = 30.0  # A call that no limit can break (PITFALLS D7) keeps its lease this much longer.

log = telemetry.get_logger()


class Interrupted(BaseException):
    """Raised within a function from outside; it can strike wherever Python code runs, but breaks no blocking call."""


class TimeLimitExceeded(Interrupted):
    """The function took longer than it may."""


class Stopped(Interrupted):
    """The process ends, and the function would take longer than that may."""


@dataclass
class _Entry:
    deadline: float
    reason: type[Interrupted]


class Limits:
    """Interrupts functions that take too long, each in its own thread."""

    def __init__(self) -> None:
        """Watch nobody yet."""
        self._entries: dict[int, _Entry] = {}
        self._last = float("inf")
        self._lock = threading.Lock()

    @contextmanager
    def within(self, milliseconds: int) -> Iterator[None]:
        """Raise TimeLimitExceeded or Stopped within the block when its time is up; at its end nothing is pending."""
        thread = threading.get_ident()
        entry = _Entry(time.monotonic() + milliseconds / 1000, TimeLimitExceeded)
        with self._lock:
            self._entries[thread] = self._no_later(entry)
        try:
            yield
        finally:
            with self._lock:
                was_struck = self._entries.pop(thread, None) is None
                if was_struck:
                    _strike(thread, None)  # CPython delivers late when it strikes two threads at once; here, no more.
        if was_struck:
            raise entry.reason

    def end_within(self, seconds: float) -> None:
        """Give what runs now, and what begins later, no more than this until it is stopped."""
        with self._lock:
            self._last = time.monotonic() + seconds
            self._entries = {thread: self._no_later(entry) for thread, entry in self._entries.items()}

    def run(self, stop: Flag) -> None:
        """Watch until `stop` is set."""
        while not stop.wait(TICK_SECONDS):
            with self._lock:  # Held while striking: `within` must not end in between.
                now = time.monotonic()
                for thread in [thread for thread, entry in self._entries.items() if entry.deadline <= now]:
                    _strike(thread, self._entries.pop(thread).reason)

    def _no_later(self, entry: _Entry) -> _Entry:
        if entry.deadline > self._last:
            entry.deadline, entry.reason = self._last, Stopped
        return entry


def _strike(thread: int, reason: type[Interrupted] | None) -> None:
    """Have an exception raised in a thread; None takes back what was not raised yet."""
    exception = None if reason is None else ctypes.py_object(reason)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)


class Leases:
    """Renews the leases of what runs in this process; who does not renew any more is dead, or deaf."""

    def __init__(self, database: Database, *, seconds: float = LEASE_SECONDS) -> None:
        """Hold each lease for `seconds` beyond its last renewal."""
        self.seconds = seconds
        self._database = database
        self._until: dict[UUID, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def held(self, lease: UUID, *, limit_ms: int) -> Iterator[None]:
        """Keep a lease alive during the block, though not for ever: a thread may hang."""
        with self._lock:
            self._until[lease] = time.monotonic() + limit_ms / 1000 + _OVERTIME_SECONDS
        try:
            yield
        finally:
            with self._lock:
                del self._until[lease]

    def run(self, stop: Flag) -> None:
        """Renew until `stop` is set; a database that is away is tried again."""
        while not stop.wait(self.seconds / _RENEWALS):
            now = time.monotonic()
            with self._lock:
                leases = [lease for lease, until in self._until.items() if until > now]
            try:
                self._renew(leases)
            except SQLAlchemyError as error:
                log.warning("task.leases_not_renewed", leases=len(leases), error=str(error))

    def _renew(self, leases: list[UUID]) -> None:
        if leases:
            with self._database.transaction() as tx:
                runs.renew(tx, leases, seconds=self.seconds)
