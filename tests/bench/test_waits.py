"""What is said of questions that take longer in an old ledger."""

from tests.bench import waits
from tests.bench.figures import Spread

TWICE = [{"balances": (0.001, 0.001), "proof": (0.010, 0.100)}, {"balances": (0.001, 0.012), "proof": (0.010, 0.050)}]


def test_each_question_is_compared_and_the_worst_of_each_repetition_comes_first() -> None:
    """The worst may be another one each time."""
    worst, *each = waits.figures(TWICE)

    assert (worst.name, worst.spread) == (
        "worst_query",
        Spread(10, 11, 12),
    )
    assert [(figure.name, round(figure.value, 6)) for figure in each] == [("balances", 12), ("proof", 10)]
    assert worst.as_json()["met"] is False


def test_the_worst_is_named_with_what_it_takes() -> None:
    """A ratio alone does not say whether anybody minds."""
    assert waits.note(TWICE) == "Worst query: `balances`, 1 ms of a young ledger, 1 to 12 ms of an old one."


def test_the_times_themselves_are_kept() -> None:
    """In milliseconds, for both ages."""
    found = waits.in_milliseconds(TWICE)

    assert found["proof"]["young"] == {"minimum": 10, "median": 10, "maximum": 10}
    assert found["proof"]["old"] == {"minimum": 50, "median": 75, "maximum": 100}
