import base64
from datetime import UTC, date, datetime, timedelta
from typing import Final
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


# As DOMAIN.md section 4 has it, read row by row; everything else is refused.
ALLOWED: Final = """
    open     decide_go       go
    open     decide_no_go    no_go
    open     start           running
    open     hold            held
    open     record_not_run  not_run
    open     cancel          cancelled
    open     reschedule      open
    go       decide_no_go    no_go
    go       start           running
    go       hold            held
    go       record_not_run  not_run
    go       cancel          cancelled
    go       reschedule      open
    running  hold            held
"""
TABLE: Final = {(state, command): after for state, command, after in map(str.split, ALLOWED.strip().splitlines())}
WHY: Final = {  # A shift's refusals say what it is that stands against it.
    "no_go": rules.ShiftCancelled,
    "not_run": rules.ShiftCancelled,
    "cancelled": rules.ShiftCancelled,
    "running": rules.ShiftHasAttendance,
    "held": rules.ShiftHasAttendance,
    "go": rules.ShiftStateDiffers,
}


class TestStates:
    @pytest.mark.parametrize("command", rules.ShiftCommand)
    @pytest.mark.parametrize("state", rules.ShiftState)
    def test_each_command_in_each_state(self, state: rules.ShiftState, command: rules.ShiftCommand) -> None:
        """What is not said to be possible is refused."""
        expected = TABLE.get((state, command))
        if expected is None:
            with pytest.raises(WHY[state]):
                rules.next_state(state, command)
            assert state not in rules.sources(command)
        else:
            assert rules.next_state(state, command) == expected
            assert state in rules.sources(command)

    @pytest.mark.parametrize("state", rules.ShiftState)
    def test_what_does_not_happen_opens_no_door(self, state: rules.ShiftState) -> None:
        """By whatever decision; what was not called off goes on."""
        if state in {"no_go", "not_run", "cancelled"}:
            with pytest.raises(rules.ShiftCancelled):
                rules.require_not_cancelled(state)
        else:
            rules.require_not_cancelled(state)

    def test_a_closed_shift_takes_nobody_new(self) -> None:
        """One that does not happen says that first."""
        rules.require_sign_ups("open", closed_at=None)
        with pytest.raises(rules.ShiftClosed):
            rules.require_sign_ups("open", closed_at=NINE)
        with pytest.raises(rules.ShiftCancelled):
            rules.require_sign_ups("cancelled", closed_at=NINE)

    @pytest.mark.parametrize(("minimum", "is_possible"), [(1, True), (10, True), (11, False)])
    def test_a_shift_can_have_enough_people(self, minimum: int, *, is_possible: bool) -> None:
        """Otherwise it could never happen."""
        if is_possible:
            rules.require_minimum(minimum, capacity=10)
        else:
            with pytest.raises(rules.BadShift) as refused:
                rules.require_minimum(minimum, capacity=10)
            assert refused.value.facts["field"] == "minimum"


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
