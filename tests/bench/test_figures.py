"""What a benchmark says about a goal."""

import pytest

from tests.bench.figures import Figure, Goal, Judged, Spread, ratio, rounded


def test_a_ratio_compares_what_ran_side_by_side() -> None:
    """Each repetition with its own, never the best with the worst of another."""
    figure = ratio("to_them", [10.0, 40.0, 30.0], [5.0, 10.0, 30.0])

    assert figure.spread == Spread(minimum=1, median=2, maximum=4)


@pytest.mark.parametrize(
    ("goal", "value", "is_met"),
    [
        (Goal(2), 1, False),
        (Goal(1), 1, True),
        (Goal(2, judged=Judged.MEDIAN), 2, True),
        (Goal(3, is_ceiling=True), 4, False),
        (Goal(4, is_ceiling=True), 4, True),
        (Goal(3, is_ceiling=True, judged=Judged.MEDIAN), 2, True),
    ],
)
def test_the_worst_repetition_decides_unless_the_median_does(goal: Goal, value: float, *, is_met: bool) -> None:
    """A floor is missed by the least, a ceiling by the most."""
    figure = Figure("it", Spread(minimum=1, median=2, maximum=4), goal)

    assert (figure.value, figure.as_json()["met"]) == (value, is_met)


def test_a_figure_without_a_goal_tells_its_median() -> None:
    """And says nothing of having met anything."""
    told = Figure("it", Spread(minimum=1, median=2, maximum=4)).as_json()

    assert told == {"value": 2, "minimum": 1, "median": 2, "maximum": 4}


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123456, 0.123), (1.23456, 1.23), (999.9, 1000), (12_345.6, 12_346), (0, 0)]
)
def test_three_digits_are_told(value: float, shown: float) -> None:
    """More would be noise."""
    assert rounded(value) == shown
