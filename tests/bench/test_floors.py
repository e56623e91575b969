"""What is said of ratios that have a floor."""

import pytest

from tests.bench import floors
from tests.bench.contenders import Run
from tests.bench.figures import Figure, Goal, Spread
from tests.bench.reports import Report

FLOORS = {"ledger": {"ratio": 3.0}}


def measured(*ratios: float, is_exact: bool = True) -> Report:
    """Report a ratio that misses a goal of its own, which is another matter, and one without a floor."""
    figures = [Figure("ratio", Spread.of(ratios), Goal(100)), Figure("other", Spread.of([0]))]
    return Report("ledger", {"ours": [Run(1, {}, is_exact)]}, figures)


def test_all_above_their_floors_is_no_failure() -> None:
    """The goal of the benchmark itself is not asked for."""
    report = floors.above([measured(4, 3)], FLOORS)

    assert list(floors.lines(report)) == ["ledger ratio: 3 (floor: ≥ 3 (worst))"]
    assert list(floors.failures(report)) == []


def test_one_below_its_floor_is_named() -> None:
    """With what it came to; the worst repetition counts."""
    report = floors.above([measured(4, 2.9)], FLOORS)

    assert list(floors.failures(report)) == ["ledger ratio is 2.9, below its floor: ≥ 3 (worst)"]


def test_wrong_totals_are_a_failure_whatever_the_ratio() -> None:
    """Fast and wrong is wrong."""
    report = floors.above([measured(4, is_exact=False)], FLOORS)

    assert list(floors.failures(report)) == ["ledger ours came to wrong totals"]


def test_a_floor_under_nothing_is_refused() -> None:
    """A benchmark that no longer tells a figure must not pass for that."""
    with pytest.raises(KeyError, match="gone"):
        floors.above([measured(4)], {"ledger": {"gone": 1}})
