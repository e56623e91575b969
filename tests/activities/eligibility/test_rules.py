from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.eligibility import rules
from services.activities.eligibility.rules import BadIntervals, Interval

FIRST = date(2022, 6, 1)


def day(number: int | None) -> date | None:
    return None if number is None else date(2022, 6, number)


def interval(since: int | None, until: int | None) -> Interval:
    return Interval(day(since), day(until))


class TestIsEligible:
    @pytest.mark.parametrize(
        ("intervals", "on", "eligible"),
        [
            ([], 1, True),
            ([(2, 4)], 1, False), ([(2, 4)], 2, True), ([(2, 4)], 3, True), ([(2, 4)], 4, False),
            ([(None, 4)], 1, True), ([(None, 4)], 4, False), ([(2, None)], 1, False), ([(2, None)], 30, True),
            ([(1, 2), (4, None)], 3, False), ([(1, 2), (4, None)], 4, True), ([(None, None)], 9, True),
        ],
    )  # fmt: skip
    def test_service_counts_within_an_interval(
        self, intervals: list[tuple[int | None, int | None]], on: int, *, eligible: bool
    ) -> None:
        """The first date is in it, the last is not; of whom nothing is recorded, every date."""
        assert rules.is_eligible([interval(*each) for each in intervals], date(2022, 6, on)) is eligible


class TestRequireApart:
    def test_intervals_may_touch_and_come_in_any_order(self) -> None:
        """They are returned in order."""
        given_ = [interval(4, None), interval(None, 2), interval(2, 4)]
        assert rules.require_apart(given_) == [interval(None, 2), interval(2, 4), interval(4, None)]
        assert rules.require_apart([]) == []

    @pytest.mark.parametrize(
        "wrong",
        [
            [(2, 2)], [(3, 2)], [(1, 4), (3, 6)], [(1, None), (5, 6)], [(None, None), (1, 2)], [(None, 2), (None, 1)],
            [(1, 3), (1, 3)],
        ],
    )  # fmt: skip
    def test_empty_and_overlapping_ones_are_refused(self, wrong: list[tuple[int | None, int | None]]) -> None:
        """A date is in one of them or in none."""
        with pytest.raises(BadIntervals):
            rules.require_apart([interval(*each) for each in wrong])


BOUND = st.none() | st.integers(1, 12)
SOME = st.lists(
    st.tuples(BOUND, BOUND).map(lambda each: interval(*each)).filter(lambda each: not each.is_empty), max_size=6
)


class TestUnited:
    @given(SOME)
    def test_it_is_the_same_dates_without_overlap(self, intervals: list[Interval]) -> None:
        """Whatever was given, in whatever order."""
        found = rules.united(intervals)

        assert rules.require_apart(found) == found
        for number in range(1, 14):
            on = date(2022, 6, number)
            assert any(each.holds(on) for each in found) == any(each.holds(on) for each in intervals)
        assert all(one.until != two.since for one, two in pairwise(found))
