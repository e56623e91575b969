from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.working_days import PLAIN, Calendar, day_of, end_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
# Dragon Boat Festival 2022: Friday 3 June to Sunday 5 June. National Day 2022: 8 and 9 October are worked.
CHINA = Calendar(frozenset({date(2022, 6, 3)}), frozenset({date(2022, 10, 8), date(2022, 10, 9)}))


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2022, 6, 1), 0, date(2022, 6, 1)),  # A Wednesday.
        (date(2022, 6, 1), 2, date(2022, 6, 3)),
        (date(2022, 6, 1), 3, date(2022, 6, 6)),
        (date(2022, 6, 1), 7, date(2022, 6, 10)),
        (date(2022, 6, 4), 1, date(2022, 6, 6)),  # From a weekend.
        (date(2022, 6, 5), 5, date(2022, 6, 10)),
    ],
)
def test_weekends_are_not_worked(day: date, days: int, expected: date) -> None:
    """The day itself is not counted."""
    assert PLAIN.after(day, days) == expected


def test_holidays_and_make_up_days_count_as_the_calendar_says() -> None:
    """A Friday off, and a weekend that is worked."""
    assert CHINA.after(date(2022, 6, 2), 1) == date(2022, 6, 6)
    assert CHINA.after(date(2022, 10, 7), 2) == date(2022, 10, 9)
    assert PLAIN.after(date(2022, 10, 7), 2) == date(2022, 10, 11)


def test_a_day_ends_at_local_midnight() -> None:
    """Also on the day on which clocks change."""
    assert end_of(date(2022, 6, 10), SHANGHAI) == datetime(2022, 6, 10, 16, tzinfo=UTC)
    assert end_of(date(2022, 3, 27), BERLIN) == datetime(2022, 3, 27, 22, tzinfo=UTC)
    assert day_of(datetime(2022, 6, 10, 16, tzinfo=UTC), SHANGHAI) == date(2022, 6, 11)
    assert day_of(datetime(2022, 6, 10, 15, 59, tzinfo=UTC), SHANGHAI) == date(2022, 6, 10)
