"""When people come and go around a shift, so that they earn exactly the hour steps that they were given.

Whole minutes, and whoever misses some keeps at least one to spare before a step is lost. On the live day, whose calls
take a moment, half a minute comes on top, so that even a step of one minute has room on both sides.
"""

from dataclasses import dataclass
from random import Random

_AROUND = 20  # Minutes before the start or after the end; check-in and check-out are open for 30.
_LATE_MINUTES = 45  # Who misses more than this came late and left early.
_LAPSED_LATE_MINUTES = 10
_MINUTE = 60
_HALF_A_MINUTE = 30
_APART = 2  # Minutes between check-in and check-out, at least.


@dataclass(frozen=True, slots=True)
class Stay:
    """Seconds from the start of the shift to the check-in (negative: before it) and to the check-out, if any."""

    arrival: int
    departure: int | None


def may_be_late(*, duration: int, steps: int, step: int) -> bool:
    """Tell whether a person can miss the beginning of the shift and still earn the steps, with a minute to spare."""
    return duration - steps * step > min(1, step - 1)


def draw_missed(rng: Random, *, duration: int, steps: int, step: int, late: bool) -> int:
    """Draw how many minutes of the shift a person misses who earns exactly the steps; none, if there is no reason."""
    unearned = duration - steps * step
    if unearned < step and not late:
        return 0
    extra = rng.randrange(1, min(step, unearned)) if step > 1 else 0
    return unearned - extra


def draw_stay(rng: Random, *, duration: int, missed: int, late: bool, live: bool) -> Stay:
    """Draw when a person comes and goes who misses so many minutes, late ones at the beginning first."""
    brief = duration - missed < _APART  # Then the person stays till after the end.
    at_start = (missed if brief else min(missed, _LATE_MINUTES)) if late else 0
    at_end = missed - at_start
    arrival = at_start or -rng.randint(1, _AROUND)
    departure = duration + (-at_end or rng.randint(1, _AROUND))
    half = _HALF_A_MINUTE if live else 0
    if at_start:
        return Stay(arrival * _MINUTE - half, departure * _MINUTE)
    return Stay(arrival * _MINUTE, departure * _MINUTE + (half if at_end else 0))


def draw_lapsed(rng: Random) -> Stay:
    """Draw the arrival of a person of whom nobody ever records the departure."""
    return Stay(rng.randint(-_AROUND, _LAPSED_LATE_MINUTES) * _MINUTE, None)
