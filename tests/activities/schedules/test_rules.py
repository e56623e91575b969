from datetime import datetime, timedelta

import pytest

from services.activities.listings.rules import BadShift, Times
from services.activities.schedules import rules
from tests.factories.activities import MINUTE, NINE, NOON

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
WAS = Times(NINE, NOON)


def test_the_start_parts_what_is_decided_from_what_is_recorded() -> None:
    """The start itself belongs to the second."""
    rules.require_before_start(NINE, now=NINE - TICK)
    rules.require_started(NINE, now=NINE)
    with pytest.raises(rules.ShiftStarted):
        rules.require_before_start(NINE, now=NINE)
    with pytest.raises(rules.ShiftNotStarted):
        rules.require_started(NINE, now=NINE - TICK)


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [(NINE, NOON + MINUTE), (NINE + DAY, NOON + DAY), (NINE - DAY + MINUTE, NOON - DAY), (NINE, NINE + DAY)],
)
def test_a_shift_is_moved_to_a_time_to_come(starts_at: datetime, ends_at: datetime) -> None:
    """Also to an earlier one; the end alone may move."""
    rules.require_new_times(Times(starts_at, ends_at), was=WAS, now=NINE - DAY)


@pytest.mark.parametrize(
    "times",
    [
        WAS, Times(NINE - DAY, NOON), Times(NINE - 2 * DAY, NOON - 2 * DAY), Times(NOON, NINE),
        Times(NINE, NINE + DAY + MINUTE), Times(NINE + TICK, NOON),
    ],
)  # fmt: skip
def test_not_to_where_it_is_nor_into_the_past(times: Times) -> None:
    """Nor to times that could not be published."""
    with pytest.raises(BadShift):
        rules.require_new_times(times, was=WAS, now=NINE - DAY)


def test_what_has_begun_is_not_moved() -> None:
    """Wherever to."""
    with pytest.raises(rules.ShiftStarted):
        rules.require_new_times(Times(NINE + DAY, NOON + DAY), was=WAS, now=NINE)


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_what_has_ended_is_not_closed(state: str) -> None:
    """The refusal says how it stands."""
    rules.require_published("published")
    with pytest.raises(rules.ListingEnded) as refused:
        rules.require_published(state)
    assert refused.value.facts == {"state": state}
