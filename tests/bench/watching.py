"""Waiting until so much has been done in a database, and saying how fast it was."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from tests.bench.contenders import Run
from tests.bench.meters import Meter, spent

WARM_UP = 0.2  # Of the work, before the clock starts.
LOOK_SECONDS = 0.05
LONGEST_SECONDS = 300

_never = Event()


@dataclass(frozen=True, slots=True)
class Seen:
    """How much was done at an instant of the monotonic clock."""

    done: int
    at: float


def timed(done: Callable[[], int], meter: Meter, *, units: int) -> Run:
    """Time the work behind the warm-up. Raises TimeoutError if it does not come to its end."""
    begun = reach(done, round(units * WARM_UP))
    before = meter.read()
    ended = reach(done, units)
    worked = ended.done - begun.done
    return Run(worked / (ended.at - begun.at), spent(before, meter.read(), units=worked))


def reach(done: Callable[[], int], wanted: int) -> Seen:
    """Wait until so much is done. Raises TimeoutError."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        found, at = done(), time.monotonic()
        if found >= wanted:
            return Seen(found, at)
        if at > deadline:
            raise TimeoutError(f"{found} of {wanted} after {LONGEST_SECONDS} s")
        _never.wait(LOOK_SECONDS)
