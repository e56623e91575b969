"""How long each shift lasts and how many hour steps each person is credited with, so that the total is exact.

Why it always ends: at their longest the shifts can hold every credit that the season's rules allow, and every person
can be taken down to one step; so durations grow until the total fits, and people then lose steps until it is met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from launch.season.consistency import LONGEST_MINUTES

SHORTEST_MINUTES = 60
_GRAIN = 30  # Durations are multiples of this, but for the odd ones.
_PASSES = LONGEST_MINUTES // _GRAIN
_STRETCH_PERCENT = (50, 70, 85, 100, 100, 115, 140, 180)  # Of the mean credit.
_ODD_MINUTES = (0,) * 10 + (10, 20)
_LARGEST_LOSS_MINUTES = 45


@dataclass(frozen=True, slots=True)
class Goal:
    """What the season is credited with, in steps, and how many people shall come late and so lose some."""

    credited: int
    step: int
    late: int

    @property
    def largest_loss(self) -> int:
        """How many steps a person loses at most, if the season allows for it."""
        return max(1, _LARGEST_LOSS_MINUTES // self.step)

    @property
    def wanted(self) -> int:
        """How many steps the shifts should offer: enough for the late ones, and half as many again, to lose some."""
        return self.credited + self.late * (1 + self.largest_loss) * 3 // 4

    @property
    def shortest(self) -> int:
        """The shortest duration that is worth a step and lies on the grain."""
        return max(SHORTEST_MINUTES, -(-self.step // _GRAIN) * _GRAIN)


@dataclass(frozen=True, slots=True)
class Credit:
    """One participation to be: on which slot (its index), how long that lasts in minutes, and the steps to earn."""

    slot: int
    duration: int
    steps: int


def draw_credits(rng: Random, crowds: Sequence[int], goal: Goal) -> tuple[list[int], list[Credit]]:
    """Draw a duration for each slot and a credit for each person of its crowd; the credits' steps sum to the goal's."""
    durations = _draw_durations(rng, crowds, goal)
    steps = _draw_steps(rng, crowds, durations, goal)
    _leave_something_to_lose(durations, crowds, goal)
    slots = [slot for slot, crowd in enumerate(crowds) for _ in range(crowd)]
    return durations, [Credit(slot, durations[slot], count) for slot, count in zip(slots, steps, strict=True)]


def _draw_durations(rng: Random, crowds: Sequence[int], goal: Goal) -> list[int]:
    """Draw durations that together hold the goal's credit, if everybody stays."""
    mean = goal.credited * goal.step // sum(crowds)
    durations = [_draw_duration(rng, mean, goal) for _ in crowds]
    order = list(range(len(crowds)))
    rng.shuffle(order)
    _lengthen(durations, order, crowds, goal)
    _shorten(durations, order, crowds, goal)
    return durations


def _draw_steps(rng: Random, crowds: Sequence[int], durations: Sequence[int], goal: Goal) -> list[int]:
    """Credit everybody with the whole shift, then take from people drawn by chance until the goal is met."""
    steps = [duration // goal.step for duration, crowd in zip(durations, crowds, strict=True) for _ in range(crowd)]
    order = list(range(len(steps)))
    rng.shuffle(order)
    surplus = sum(steps) - goal.credited
    surplus = _take(steps, surplus, [(index, 1 + rng.randrange(goal.largest_loss)) for index in order])
    _take(steps, surplus, [(index, LONGEST_MINUTES) for index in order])
    return steps


def _leave_something_to_lose(durations: list[int], crowds: Sequence[int], goal: Goal) -> None:
    """Lengthen the last shift by less than a step when otherwise every recorded minute would be credited.

    Only so can the record differ from the credit where nobody misses a step. A step of one minute loses nothing.
    """
    offered = sum(crowd * duration for crowd, duration in zip(crowds, durations, strict=True))
    if offered == goal.credited * goal.step:
        durations[-1] += min(10, goal.step - 1)


def _draw_duration(rng: Random, mean: int, goal: Goal) -> int:
    """Draw a duration around the mean credit."""
    around = mean * rng.choice(_STRETCH_PERCENT) // 100
    grained = (around + _GRAIN // 2) // _GRAIN * _GRAIN
    return min(LONGEST_MINUTES, max(goal.shortest, grained) + rng.choice(_ODD_MINUTES))


def _reach(durations: Sequence[int], crowds: Sequence[int], step: int) -> int:
    """Count the steps that everybody gets who stays all the time."""
    return sum(crowd * (duration // step) for crowd, duration in zip(crowds, durations, strict=True))


def _lengthen(durations: list[int], order: Sequence[int], crowds: Sequence[int], goal: Goal) -> None:
    """Lengthen shifts one after the other, in rounds, until they hold what is wanted or all are at their longest."""
    reach = _reach(durations, crowds, goal.step)
    for index in [*order] * _PASSES:
        if reach >= goal.wanted:
            return
        longer = min(LONGEST_MINUTES, durations[index] + _GRAIN)
        reach += crowds[index] * (longer // goal.step - durations[index] // goal.step)
        durations[index] = longer


def _shorten(durations: list[int], order: Sequence[int], crowds: Sequence[int], goal: Goal) -> None:
    """Shorten shifts one after the other, in rounds, wherever what is wanted still fits."""
    surplus = _reach(durations, crowds, goal.step) - goal.wanted
    for index in [*order] * _PASSES:
        shorter = max(goal.shortest, durations[index] - _GRAIN)
        less = crowds[index] * (durations[index] // goal.step - shorter // goal.step)
        if less <= surplus:
            durations[index] = shorter
            surplus -= less


def _take(steps: list[int], surplus: int, losses: Sequence[tuple[int, int]]) -> int:
    """Take up to the given steps from each person, never the last one, while there is a surplus; return the rest."""
    for index, loss in losses:
        taken = min(surplus, loss, steps[index] - 1)
        steps[index] -= taken
        surplus -= taken
    return surplus
