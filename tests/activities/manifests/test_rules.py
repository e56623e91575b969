"""When days are counted over."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.activities.manifests import rules

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("now", "zone", "night"),
    [
        (datetime(2022, 6, 1, 17, 59, tzinfo=UTC), SHANGHAI, date(2022, 6, 1)),
        (datetime(2022, 6, 1, 18, 0, tzinfo=UTC), SHANGHAI, date(2022, 6, 2)),
        (datetime(2022, 6, 2, 5, 59, tzinfo=UTC), NEW_YORK, date(2022, 6, 1)),
        (datetime(2022, 6, 2, 6, 0, tzinfo=UTC), NEW_YORK, date(2022, 6, 2)),
        (
            datetime(2022, 3, 13, 6, 59, tzinfo=UTC),
            NEW_YORK,
            date(2022, 3, 12),
        ),  # There is no two o'clock.
        (datetime(2022, 3, 13, 7, 0, tzinfo=UTC), NEW_YORK, date(2022, 3, 13)),
    ],
)
def test_a_night_begins_at_two_on_the_programmes_own_clocks(now: datetime, zone: ZoneInfo, night: date) -> None:
    """Not at ours."""
    assert rules.night_of(now, zone) == night


def test_a_night_is_counted_once_and_makes_up_for_those_before() -> None:
    """The first one too."""
    night = date(2022, 6, 2)

    assert rules.is_due(night=night, last=None)
    assert rules.is_due(night=night, last=date(2022, 5, 20))
    assert not rules.is_due(night=night, last=night)
    assert not rules.is_due(night=night, last=date(2022, 6, 3))


def test_numbers_that_begin_anew_are_counted_from_the_start() -> None:
    """A restored database numbers its transactions as its new server does."""
    assert rules.counted_since(700, newest=700) == 700
    assert rules.counted_since(701, newest=700) == 0
