"""What a benchmark says: spreads of what was measured, ratios of two contenders of one repetition, goals."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any


class Judged(StrEnum):
    """Which of the repetitions has to reach a goal."""

    WORST = "worst"
    MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle and the most of the repetitions."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Look at one value for each repetition; there is at least one."""
        return cls(min(values), median(values), max(values))

    def as_json(self) -> dict[str, float]:
        return {"minimum": rounded(self.minimum), "median": rounded(self.median), "maximum": rounded(self.maximum)}


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a figure: at least, or at most with `is_ceiling`."""

    bound: float
    is_ceiling: bool = False
    judged: Judged = Judged.WORST

    def judge(self, spread: Spread) -> float:
        """Return the figure that counts."""
        if self.judged is Judged.MEDIAN:
            return spread.median
        return spread.maximum if self.is_ceiling else spread.minimum

    def is_met(self, spread: Spread) -> bool:
        value = self.judge(spread)
        return value <= self.bound if self.is_ceiling else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.is_ceiling else '≥'} {self.bound:g} ({self.judged.value})"


@dataclass(frozen=True, slots=True)
class Figure:
    """One named figure of a benchmark, with its goal if it has one."""

    name: str
    spread: Spread
    goal: Goal | None = None

    @property
    def value(self) -> float:
        """The figure that counts; the median where there is no goal."""
        return self.spread.median if self.goal is None else self.goal.judge(self.spread)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"value": rounded(self.value), **self.spread.as_json()}
        if self.goal is not None:
            told |= {"goal": str(self.goal), "met": self.goal.is_met(self.spread)}
        return told


def ratio(name: str, ours: Sequence[float], theirs: Sequence[float], goal: Goal | None = None) -> Figure:
    """Divide repetition by repetition: what ran side by side saw the same machine."""
    return Figure(name, Spread.of([one / other for one, other in zip(ours, theirs, strict=True)]), goal)


def rounded(value: float) -> float:
    """Keep three digits that mean something."""
    return float(f"{value:.3g}") if abs(value) < 1_000 else float(round(value))
