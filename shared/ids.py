"""Identifiers: UUIDv7, so that keys made one after the other lie side by side in an index (RFC 9562 section 5.7)."""

import threading
import time
from os import urandom
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_CHANCE = 8  # Bytes of it, of which 62 bits are used.
_lock = threading.Lock()
_last = 0


def new_id(*, after: UUID | None = None) -> UUID:
    """Return a UUIDv7; within one process each is greater than the one before it, and than `after`.

    The 12 bits after the millisecond hold its fraction (RFC 9562 section 6.2, method 3), the last 62 are random.
    `after` is for what must follow something made on another machine, or before a clock was set back.
    """
    return _id_of(_next_tick(after=after), urandom(_CHANCE))


def new_ids(count: int) -> list[UUID]:
    """Return so many ids at once, each greater than the one before it; for batches, at half the price."""
    last, chance = _next_tick(count), urandom(_CHANCE * count)
    return [
        _id_of(last - count + number, chance[_CHANCE * number - _CHANCE : _CHANCE * number])
        for number in range(1, count + 1)
    ]


def _next_tick(count: int = 1, *, after: UUID | None = None) -> int:
    """Take so many ticks, 1/4096 of a millisecond since 1970 each, never the same twice and none before `after`'s.

    Returns the last of them; the others are those before it.
    """
    global _last  # noqa: PLW0603  One process has one sequence.
    tick = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last = max(tick, _last + 1, _gathered(after) + 1 if after else 0) + count - 1
        return _last


def _id_of(tick: int, chance: bytes) -> UUID:
    """Put 48 bits of milliseconds, 12 bits of fraction and 62 of chance where UUIDv7 wants them."""
    tail = int.from_bytes(chance, "big") >> 2
    return UUID(int=_VERSION | _VARIANT | (tick >> 12) << 80 | (tick & 0xFFF) << 64 | tail)


def _gathered(made: UUID) -> int:
    """Read the milliseconds and their fraction back from a UUIDv7."""
    return made.int >> 80 << 12 | made.int >> 64 & 0xFFF
