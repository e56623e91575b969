"""Identifiers: UUIDv7, so that keys made one after the other lie side by side in an index (RFC 9562 section 5.7)."""

import threading
import time
from os import urandom
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_lock = threading.Lock()
_last = 0


def new_id(*, after: UUID | None = None) -> UUID:
    """Return a UUIDv7; within one process each is greater than the one before it, and than `after`.

    The 12 bits after the millisecond hold its fraction (RFC 9562 section 6.2, method 3), the last 62 are random.
    `after` is for what must follow something made on another machine, or before a clock was set back.
    """
    tick = _next_tick(after)
    chance = int.from_bytes(urandom(8), "big") >> 2
    return UUID(int=_VERSION | _VARIANT | (tick >> 12) << 80 | (tick & 0xFFF) << 64 | chance)


def _next_tick(after: UUID | None) -> int:
    """Count 1/4096 of a millisecond since 1970, never the same twice and never before `after`'s."""
    global _last  # noqa: PLW0603  One process has one sequence.
    tick = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last = max(tick, _last + 1, _gathered(after) + 1 if after else 0)
        return _last


def _gathered(made: UUID) -> int:
    """Read the milliseconds and their fraction back from a UUIDv7."""
    return made.int >> 80 << 12 | made.int >> 64 & 0xFFF
