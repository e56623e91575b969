"""How many people come to each planned shift, how many of them never settle, and how many places there were."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from launch.season.form import Season
from launch.season.plan import Slot
from launch.season.shares import apportion

RECOVERED = Fraction(4, 5)  # Of the missed check-ins; the others lapse.
_LIVE_CROWD = 18  # Participations of one live shift: each of them is several calls over HTTP.
_POPULARITY = (1, 2, 3, 5, 8, 13, 30)
_POPULARITY_WEIGHTS = (16, 22, 22, 18, 12, 8, 2)


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of one shift: those who settle, those who check in and never out, and the places offered."""

    settled: int
    unsettled: int
    capacity: int


def draw_crowds(rng: Random, season: Season, slots: Sequence[Slot]) -> list[Crowd]:
    """Draw the crowd of each slot; the settled ones sum to the participations of the season."""
    settled = _draw_settled(rng, season.reported.activities.participations, slots)
    unsettled = _draw_unsettled(rng, missed_check_ins(season)[1], slots, settled)
    rows = [sum(pair) for pair in zip(settled, unsettled, strict=True)]
    places = int(sum(rows) / Fraction(season.assumed.signup_fill_rate))
    empty = apportion(places - sum(rows), [count * rng.randrange(1, 10) for count in rows])
    capacity = [sum(pair) for pair in zip(rows, empty, strict=True)]
    return [Crowd(*numbers) for numbers in zip(settled, unsettled, capacity, strict=True)]


def missed_check_ins(season: Season) -> tuple[int, int]:
    """Divide those who missed a check-in or check-out into recovered ones, who are participations, and lapsed ones.

    With the share m of all who came, and P = came - lapsed participations: came = P / (1 - m * (1 - RECOVERED)).
    """
    share = Fraction(season.assumed.missed_check_in_share)
    came = season.reported.activities.participations / (1 - share * (1 - RECOVERED))
    return round(came * share * RECOVERED), round(came * share * (1 - RECOVERED))


def _draw_settled(rng: Random, total: int, slots: Sequence[Slot]) -> list[int]:
    """Divide the participations: at least one for each shift, many for few, and a handful on the live day."""
    weights = [rng.choices(_POPULARITY, _POPULARITY_WEIGHTS)[0] * rng.randrange(2, 7) for _ in slots]
    drawn = [1 + more for more in apportion(total - len(slots), weights)]
    past = [0 if slot.live else weight for slot, weight in zip(slots, weights, strict=True)]
    if not any(past):
        return drawn
    kept = [min(count, _LIVE_CROWD) if slot.live else count for slot, count in zip(slots, drawn, strict=True)]
    moved = apportion(total - sum(kept), past)
    return [sum(pair) for pair in zip(kept, moved, strict=True)]


def _draw_unsettled(rng: Random, total: int, slots: Sequence[Slot], settled: Sequence[int]) -> list[int]:
    """Spread those who never settle over the past shifts, and keep one for the live day to show."""
    counts = [0] * len(slots)
    shown = next(index for index, slot in enumerate(slots) if slot.live)
    weights = [0 if slot.live else count for slot, count in zip(slots, settled, strict=True)]
    weights[shown] = 0 if any(weights) else 1
    past = rng.choices(range(len(slots)), weights, k=max(0, total - 1))
    for index in [shown, *past][:total]:
        counts[index] += 1
    return counts
