"""Denied access in the audit trail: written apart, since the refusal rolls the call's own transaction back.

Whoever is denied can ask again as fast as they like, so what is written is bounded: of one person, operation and
refusal one entry a minute, which says how many there were in between; of all together so many a minute; and one at a
time, so that it takes one of the connections apart at most. What is over is counted in the log's lines alone.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared import clock, telemetry
from shared.audit.entries import Call, write_denied
from shared.database.sessions import Database
from shared.errors import NotAllowed
from shared.web import problems
from shared.web.audit import call_of

WINDOW_SECONDS = 60.0
MOST_A_WINDOW = 120  # Entries of one process, of whomever: 170,000 a day at the very worst.
MOST_KNOWN = 5_000  # Of whom it is remembered that they have an entry in this window.

log = telemetry.get_logger()


@dataclass
class Window:
    """What was written and what was passed over in the last minute or so."""

    most: int = MOST_A_WINDOW
    seconds: float = WINDOW_SECONDS
    now: Callable[[], float] = time.monotonic
    _began: float = -float("inf")
    _written: int = 0
    _passed_over: dict[tuple[object, ...], int] = field(default_factory=dict)
    _before: dict[tuple[object, ...], int] = field(default_factory=dict)

    def admit(self, key: tuple[object, ...]) -> int | None:
        """Return how often the same was passed over since its last entry; None if it is to be passed over now."""
        if self.now() - self._began >= self.seconds:
            self._began, self._written = self.now(), 0
            self._before, self._passed_over = self._passed_over, {}
        if key in self._passed_over or self._written >= self.most:
            if key in self._passed_over or len(self._passed_over) < MOST_KNOWN:
                self._passed_over[key] = self._passed_over.get(key, 0) + 1
            return None
        self._written += 1
        self._passed_over[key] = 0
        return self._before.pop(key, 0)


class Denials:
    """Writes denied access of one app, within bounds."""

    def __init__(self, database: Database, window: Window | None = None) -> None:
        """Write into a service's database."""
        self.database = database
        self.window = window or Window()
        self._one = threading.Lock()

    def write(self, call: Call, *, refusal: str) -> None:
        """Write down that access was denied, unless there is too much of it, or another is being written."""
        if not self._one.acquire(blocking=False):
            log.warning("denial.passed_over", operation=call.operation, refusal=refusal)
            return
        try:
            repeats = self.window.admit((call.who.programme_id, call.who.person_id, call.operation, refusal))
            if repeats is not None:
                with self.database.apart() as tx:
                    write_denied(tx, call, refusal=refusal, repeats=repeats)
        except SQLAlchemyError as error:  # They are denied all the same, and the log's line says so.
            log.warning("denial.not_written", operation=call.operation, refusal=refusal, reason=type(error).__name__)
        finally:
            self._one.release()


def install(app: FastAPI) -> None:
    """Write down whom an app denies access, and then answer as for any refusal."""
    app.state.denials = Denials(app.state.database)
    app.add_exception_handler(NotAllowed, _denied)


async def _denied(request: Request, error: Exception) -> Response:
    """The call's own transaction is over by now, and its connection given back."""
    caller = getattr(request.state, "caller", None)
    if caller is not None and isinstance(error, NotAllowed):
        call = call_of(request, caller, (), at=clock.now())
        await run_in_threadpool(request.app.state.denials.write, call, refusal=error.code)
    return await problems.refused(request, error)
