from datetime import date, timedelta

import pytest

from services.activities.records import rules

DAY = date(2022, 6, 1)


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [
        (599, []),
        (600, ["hours_10"]),
        (2_999, ["hours_10"]),
        (3_000, ["hours_10", "hours_50"]),
        (6_000, ["hours_10", "hours_50", "hours_100"]),
        (18_000, ["hours_10", "hours_50", "hours_100", "hours_300"]),
    ],
)
def test_a_badge_is_reached_with_its_last_minute(minutes: int, codes: list[str]) -> None:
    """However many come with one service."""
    assert [each.badge.code for each in rules.reached([(DAY, minutes)])] == codes


def test_a_badge_has_the_date_of_the_service_that_reached_it() -> None:
    """Services are added up in their order."""
    services = [(DAY + timedelta(days=day), 200) for day in range(4)]

    assert [(each.badge.hours, each.reached_on) for each in rules.reached(services)] == [(10, date(2022, 6, 3))]
    assert rules.reached([]) == []


@pytest.mark.parametrize(
    ("minutes", "code", "missing"),
    [(0, "hours_10", 600), (599, "hours_10", 1), (600, "hours_50", 2_400), (17_999, "hours_300", 1)],
)
def test_the_next_badge_says_what_is_missing(minutes: int, code: str, missing: int) -> None:
    """To the minute."""
    ahead = rules.to_next(minutes)
    assert ahead is not None
    assert (ahead[0].code, ahead[1]) == (code, missing)


def test_who_has_all_has_no_next() -> None:
    """There is an end to it."""
    assert rules.to_next(18_000) is None
