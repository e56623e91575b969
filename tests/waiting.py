"""Waiting in tests: for a condition, with a deadline, saying what was missing. Nothing in the tests sleeps blindly."""

import time
from collections.abc import Callable
from threading import Event

_PAUSE_SECONDS = 0.02
_never = Event()


def until(condition: Callable[[], object], *, timeout: float, missing: str) -> None:
    """Return as soon as `condition()` is true. Raises TimeoutError after `timeout` seconds, naming the `missing`."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"missing after {timeout} s: {missing}")
        _never.wait(_PAUSE_SECONDS)
