"""The one place that reads the time.

Doors call `now()` and pass the instant on; rules, actions and due queries take it as an argument. An embedded
platform may travel in time (the demo plays a day of its season); nothing else may.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock

_lock = Lock()
_offset = timedelta(0)


def now() -> datetime:
    """Return the present instant in UTC, shifted by the last `travel`."""
    return datetime.now(UTC) + _offset  # noqa: TID251  This is the one file that may.


def travel(to: datetime) -> None:
    """Make `now()` go on from `to` in this process."""
    global _offset  # noqa: PLW0603  One process has one clock.
    with _lock:
        _offset = to - datetime.now(UTC)  # noqa: TID251  This is the one file that may.


def come_back() -> None:
    """Return to the real time."""
    global _offset  # noqa: PLW0603  One process has one clock.
    with _lock:
        _offset = timedelta(0)
