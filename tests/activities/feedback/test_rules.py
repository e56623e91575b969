from datetime import timedelta

import pytest

from services.activities.feedback import rules
from services.activities.feedback.rules import Measure, Tally, Total
from tests.factories.activities import NOON

SECOND = timedelta(seconds=1)
TWO_WEEKS = timedelta(days=14)


def test_answers_are_taken_for_two_weeks() -> None:
    """To the last second before, and not at that instant."""
    rules.require_open(NOON, now=NOON + TWO_WEEKS - SECOND)
    with pytest.raises(rules.FeedbackClosed) as refusal:
        rules.require_open(NOON, now=NOON + TWO_WEEKS)
    assert refusal.value.facts == {"closed_at": NOON + TWO_WEEKS}


@pytest.mark.parametrize(
    ("state", "refusal"),
    [(None, rules.DidNotServe), ("voided", rules.DidNotServe), ("checked_in", rules.FeedbackNotDue)],
)
def test_feedback_is_about_settled_service(state: str | None, refusal: type[Exception]) -> None:
    """Who was not there has nothing to say, who is there still will have."""
    with pytest.raises(refusal):
        rules.require_served(state)
    rules.require_served("settled")


def test_a_host_answers_once_somebody_has_served() -> None:
    """One is enough."""
    rules.require_anybody_served(settled=1)
    with pytest.raises(rules.FeedbackNotDue):
        rules.require_anybody_served(settled=0)


@pytest.mark.parametrize(
    ("answers", "sees_single", "is_withheld"), [(2, False, True), (3, False, False), (0, False, True), (1, True, False)]
)
def test_totals_of_fewer_than_three_are_withheld(answers: int, sees_single: bool, is_withheld: bool) -> None:  # noqa: FBT001  A table.
    """From whom they would tell something of one person."""
    assert rules.is_withheld(answers, sees_single=sees_single) == is_withheld


@pytest.mark.parametrize(
    ("answers", "of", "expected"), [(0, 0, 0), (0, 5, 0), (1, 3, 3_333), (2, 3, 6_666), (3, 3, 10_000), (4, 3, 10_000)]
)
def test_the_response_rate_is_rounded_down(answers: int, of: int, expected: int) -> None:
    """And never above all: an attendance may be voided after the answer."""
    assert rules.rate(answers, of=of) == expected


class TestTotals:
    def test_a_mean_is_exact_and_rounded_once(self) -> None:
        """Five, five and four are fourteen thirds."""
        tallies = [Tally("overall", "number", "5", 2), Tally("overall", "number", "4", 1)]

        assert rules.totals(tallies) == [Total("overall", Measure.RATING, 3, {"4": 1, "5": 2}, 14, 467)]

    @pytest.mark.parametrize(
        ("ones", "twos", "mean"), [(1, 0, 100), (1, 1, 150), (199, 1, 101), (201, 1, 100), (7, 1, 113), (9, 1, 110)]
    )
    def test_halves_are_rounded_up(self, ones: int, twos: int, mean: int) -> None:
        """1.005 is 1.01; 1.0049… is 1.00; 1.125 is 1.13."""
        tallies = [Tally("q", "number", "1", ones), Tally("q", "number", "2", twos)]

        assert rules.totals(tallies)[0].mean_hundredths == mean

    def test_what_has_no_mean_has_a_distribution(self) -> None:
        """Yes and no, choices; in order of the questions' keys."""
        tallies = [
            Tally("weather", "string", "sun", 2), Tally("again", "boolean", "true", 3),
            Tally("again", "boolean", "false", 1),
        ]  # fmt: skip

        assert rules.totals(tallies) == [
            Total("again", Measure.YES_NO, 4, {"false": 1, "true": 3}), Total("weather", Measure.CHOICE, 2, {"sun": 2})
        ]  # fmt: skip

    def test_a_question_that_became_another_stands_twice(self) -> None:
        """Marks of two kinds are not added up."""
        tallies = [Tally("q", "number", "3", 1), Tally("q", "boolean", "true", 1)]

        assert [total.measure for total in rules.totals(tallies)] == [Measure.RATING, Measure.YES_NO]
