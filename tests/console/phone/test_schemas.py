from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.console.phone import schemas
from services.console.phone.rules import Code, Place, Shift
from services.console.shell.rules import Problem
from tests.console.figures import NINE, SHIFT_ID


def make_shift(*, hours: float = 2.5, timezone: str = "Asia/Shanghai") -> Shift:
    return Shift(UUID(SHIFT_ID), "2022-LIB-07", "故事会", NINE, NINE + timedelta(hours=hours), timezone, "open")


@pytest.mark.parametrize(
    ("language", "timezone", "hours", "day", "span"),
    [
        ("zh", "Asia/Shanghai", 2.5, "2022年6月18日 周六", "09:00–11:30"),  # noqa: RUF001  As clocks are written.
        ("en", "Asia/Shanghai", 2.5, "Saturday, 18 June 2022", "09:00–11:30"),  # noqa: RUF001  As clocks are written.
        ("zh", "Asia/Urumqi", 2.5, "2022年6月18日 周六", "07:00–09:30"),  # noqa: RUF001  As clocks are written.
        ("zh", "Asia/Shanghai", 16, "2022年6月18日 周六", "09:00–次日 01:00"),  # noqa: RUF001  As clocks are written.
        ("en", "America/New_York", 2.5, "Friday, 17 June 2022", "21:00–23:30"),  # noqa: RUF001  As clocks are written.
    ],
)
def test_a_shift_is_told_by_the_clock_on_the_wall_there(
    language: str, timezone: str, hours: float, day: str, span: str
) -> None:
    """The listing's zone counts, not the phone's and not the server's."""
    occasion = schemas.make_occasion(make_shift(hours=hours, timezone=timezone), language=language)

    assert (occasion.day, occasion.hours) == (day, span)


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "0 分钟", "0 min"),
        (59, "59 分钟", "59 min"),
        (60, "1 小时", "1 h"),
        (125, "2 小时 5 分钟", "2 h 5 min"),
    ],
)
def test_time_of_service_is_told_in_hours_and_minutes(minutes: int, zh: str, en: str) -> None:
    """Nobody divides by sixty on the way home."""
    place = Place("settled", service_minutes=minutes)

    assert schemas.make_place(place, make_shift(), language="zh")["served"] == zh
    assert schemas.make_place(place, make_shift(), language="en")["served"] == en


class TestMakeNotice:
    def test_tells_the_window_in_the_shifts_zone(self) -> None:
        """Who comes too early reads when to come."""
        facts = {"opens_at": "2022-06-18T00:30:00Z", "closes_at": "2022-06-18T04:00:00+00:00"}
        problem = Problem("check_in_closed", "不在签到时间内", 409, facts)

        notice = schemas.make_notice(problem, language="zh", shift=make_shift())

        assert (notice.title, notice.advice) == ("不在签到时间内", "签到时间为 08:30 至 12:00。")

    @pytest.mark.parametrize(
        ("retry_after", "zh"),
        [(1, "请等 1 秒后再试。"), (60, "请等 1 分钟后再试。"), ("599", "请等 9 分钟 59 秒后再试。")],
    )
    def test_tells_how_long_to_wait(self, retry_after: object, zh: str) -> None:
        """Trying in vain makes it longer."""
        problem = Problem("too_many_attempts", "尝试次数过多", 429, {"retry_after": retry_after})

        assert schemas.make_notice(problem, language="zh").advice == zh

    @pytest.mark.parametrize(
        "problem",
        [
            Problem("from_the_future", "…", 409),
            Problem("check_in_closed", "…", 409),
            Problem("check_in_closed", "…", 409, {"opens_at": "soon", "closes_at": None}),
            Problem("too_many_attempts", "…", 429, {"retry_after": "a while"}),
        ],
    )
    def test_keeps_the_apis_title_where_it_has_no_better_advice(self, problem: Problem) -> None:
        """A new refusal of an API must not break the page that shows it."""
        notice = schemas.make_notice(problem, language="en", shift=make_shift())

        assert (notice.title, notice.advice) == ("…", schemas.PAGES.speaker("en")("advice.other"))


def test_a_card_lasts_as_long_as_its_code() -> None:
    """The browser gets a duration: its own clock may be wrong."""
    code = Code("012345", datetime(2022, 6, 18, 1, 0, 30, tzinfo=UTC))

    card = schemas.make_card(code, shift_id=UUID(SHIFT_ID), console_url="https://p.example", now=NINE)

    assert (card.digits, card.remaining_ms) == ("012 345", 30_000)
