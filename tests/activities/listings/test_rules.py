import base64
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.activities.listings import rules
from tests.factories.activities import NINE, NOON


class TestTimes:
    @pytest.mark.parametrize("length", [timedelta(minutes=1), timedelta(hours=24)])
    def test_a_shift_lasts_up_to_a_day(self, length: timedelta) -> None:
        """Both ends of what is allowed."""
        rules.require_times(rules.Times(NINE, NINE + length))

    @pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=-1), timedelta(hours=24, minutes=1)])
    def test_an_end_that_cannot_be_is_refused(self, length: timedelta) -> None:
        """At once, before the start, or more than a day later."""
        with pytest.raises(rules.BadShift) as refused:
            rules.require_times(rules.Times(NINE, NINE + length))
        assert refused.value.facts["field"] == "ends_at"

    @pytest.mark.parametrize("tick", [timedelta(seconds=1), timedelta(microseconds=1)])
    def test_shifts_are_in_whole_minutes(self, tick: timedelta) -> None:
        """Otherwise minutes would not add up; the field that is wrong is named."""
        for times, field in (
            (rules.Times(NINE + tick, NOON), "starts_at"),
            (rules.Times(NINE, NOON + tick), "ends_at"),
        ):
            with pytest.raises(rules.BadShift) as refused:
                rules.require_times(times)
            assert refused.value.facts["field"] == field


class TestStates:
    @pytest.mark.parametrize("state", ["open", "running", "held"])
    def test_only_a_cancelled_shift_is_called_off(self, state: str) -> None:
        """What was not cancelled goes on."""
        rules.require_not_cancelled(state)
        with pytest.raises(rules.ShiftCancelled):
            rules.require_not_cancelled("cancelled")

    @pytest.mark.parametrize(("state", "started"), [("open", False), ("running", True), ("held", True)])
    def test_a_started_shift_cannot_be_called_off(self, state: str, *, started: bool) -> None:
        """Somebody is there."""
        if started:
            with pytest.raises(rules.ShiftHasAttendance):
                rules.require_not_started(state)
        else:
            rules.require_not_started(state)


class TestServiceDate:
    @pytest.mark.parametrize(
        ("starts_at", "service_on"),
        [
            (datetime(2022, 6, 1, 15, 59, tzinfo=UTC), date(2022, 6, 1)),
            (datetime(2022, 6, 1, 16, 0, tzinfo=UTC), date(2022, 6, 2)),
        ],
    )
    def test_a_shift_belongs_to_the_local_day_of_its_start(self, starts_at: datetime, service_on: date) -> None:
        """Midnight in Shanghai parts the days, not midnight in Greenwich."""
        assert rules.service_date(starts_at, ZoneInfo("Asia/Shanghai")) == service_on

    @pytest.mark.parametrize("hour", [5, 6])
    def test_the_hour_that_comes_twice_is_one_day(self, hour: int) -> None:
        """When New York's clocks go back, both half past ones are on Sunday."""
        starts_at = datetime(2022, 11, 6, hour, 30, tzinfo=UTC)
        assert rules.service_date(starts_at, ZoneInfo("America/New_York")) == date(2022, 11, 6)


def test_each_shift_has_a_secret_of_its_own() -> None:
    """160 bits, as RFC 4226 recommends, in base 32 without padding."""
    secrets = {rules.new_code_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}
