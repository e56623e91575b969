from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents import wording


@pytest.mark.parametrize(
    ("fen", "shown"),
    [
        (0, "¥0.00"),
        (1, "¥0.01"),
        (123_450, "¥1,234.50"),
        (-5, "-¥0.05"),
        (605_530_000, "¥6,055,300.00"),
        (10**15 + 1, "¥10,000,000,000,000.01"),
    ],
)
def test_money_is_shown_in_yuan(fen: int, shown: str) -> None:
    """The same in both languages, however large."""
    assert wording.money(fen) == shown


@given(st.integers(min_value=-(10**20), max_value=10**20))
def test_no_fen_is_lost_in_showing(fen: int) -> None:
    """Far beyond what a float could hold."""
    shown = wording.money(fen)

    assert int(shown.replace("¥", "").replace(",", "").replace(".", "")) == fen


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "0 分钟", "0 min"),
        (59, "59 分钟", "59 min"),
        (60, "1 小时", "1 h"),
        (125, "2 小时 5 分钟", "2 h 5 min"),
        (-95, "-1 小时 35 分钟", "-1 h 35 min"),
        (3_633_180, "60,553 小时", "60,553 h"),
    ],
)
def test_time_is_shown_in_hours_and_minutes(minutes: int, zh: str, en: str) -> None:
    """To the minute."""
    assert (wording.duration(minutes, "zh"), wording.duration(minutes, "en")) == (zh, en)


def test_dates_and_instants_are_shown_where_they_belong() -> None:
    """A date is local already; an instant is shown as the clock of a zone, and says which."""
    at = datetime(2022, 6, 1, 16, 30, tzinfo=UTC)

    assert wording.day(date(2022, 6, 1), "zh") == "2022年6月1日"
    assert wording.day(date(2022, 6, 1), "en") == "1 Jun 2022"
    assert wording.month(date(2022, 6, 1), "zh") == "2022年6月"
    assert wording.instant(at, "zh", "Asia/Shanghai") == "2022年6月2日 00:30 (UTC+08:00)"
    assert wording.instant(at, "en", "Asia/Kolkata") == "1 Jun 2022, 22:00 (UTC+05:30)"
