from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.kits import rules
from services.activities.kits.rules import Command, State
from services.activities.listings.rules import ShiftState
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Refusal
from shared.working_days import Calendar
from tests.factories.activities import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")
# What each command makes of a kit in a state; every other command is `kit_state_differs`.
POSSIBLE: dict[State, dict[Command, str]] = {
    State.ISSUED: {Command.SHIP: "shipped", Command.CANCEL: "cancelled"},
    State.SHIPPED: {Command.RECEIVE: "received", Command.RETURN: "returned", Command.FALL_DUE: "overdue"},
    State.RECEIVED: {Command.RETURN: "returned", Command.FALL_DUE: "overdue"},
    State.OVERDUE: {Command.RETURN: "returned", Command.LOSE: "lost"},
    State.LOST: {Command.RETURN: "returned"},
    State.RETURNED: {},
    State.CANCELLED: {},
}


def outcome(state: State, command: Command) -> str:
    try:
        return rules.next_state(state, command)
    except Refusal as refusal:
        return refusal.code


def test_the_table_of_states_and_commands_is_whole() -> None:
    """Each command in each state has one outcome, and it is written down here."""
    found = {(state, command): outcome(state, command) for state in State for command in Command}
    expected = {(state, command): POSSIBLE[state].get(command, "kit_state_differs") for state, command in found}
    assert found == expected


class TestDue:
    def test_a_kit_is_due_ten_working_days_after_the_shift(self) -> None:
        """To the end of the local day; the shift's own day is not counted, weekends are not either."""
        assert rules.due_at(NOON, SHANGHAI) == datetime(2022, 6, 15, 16, tzinfo=UTC)
        assert rules.due_at(NOON, SHANGHAI, days=1) == datetime(2022, 6, 2, 16, tzinfo=UTC)

    def test_the_local_day_counts(self) -> None:
        """One minute past midnight in Shanghai is the next day, whatever it is in UTC."""
        midnight = datetime(2022, 6, 1, 16, tzinfo=UTC)
        before = rules.due_at(midnight - timedelta(minutes=1), SHANGHAI, days=1)
        assert rules.due_at(midnight, SHANGHAI, days=1) - before == timedelta(days=1)

    def test_holidays_are_no_working_days(self) -> None:
        """Where a calendar knows them."""
        festival = Calendar(holidays=frozenset({datetime(2022, 6, 3, tzinfo=UTC).date()}))
        assert rules.due_at(NOON, SHANGHAI, days=2, calendar=festival) == datetime(2022, 6, 6, 16, tzinfo=UTC)

    @given(st.integers(1, 60), st.integers(0, 60 * 24 * 400))
    def test_more_days_are_never_sooner(self, days: int, minutes: int) -> None:
        """And nobody has fewer days than were agreed."""
        ends_at = NOON + timedelta(minutes=minutes)
        due = rules.due_at(ends_at, SHANGHAI, days=days)
        assert due >= ends_at + timedelta(days=days)
        assert rules.due_at(ends_at, SHANGHAI, days=days + 1) > due


@pytest.mark.parametrize("state", ShiftState)
def test_nothing_goes_out_before_it_is_decided_that_the_shift_happens(state: ShiftState) -> None:
    """Nor when it is over, or off."""
    if state in {ShiftState.GO, ShiftState.RUNNING}:
        rules.require_happening(state)
        return
    with pytest.raises(rules.ShiftUndecided):
        rules.require_happening(state)


@pytest.mark.parametrize("state", [None, *PlaceState])
def test_a_kit_is_for_who_is_expected(state: PlaceState | None) -> None:
    """Who waits, has given the place back, or has served gets none."""
    if state is PlaceState.CONFIRMED:
        rules.require_confirmed(state)
        return
    with pytest.raises(NotSignedUp):
        rules.require_confirmed(state)


def test_each_refusal_has_its_rule() -> None:
    """And says nothing where nothing is wrong."""
    me = uuid4()
    rules.require_state("issued", State.ISSUED, command="give_address")
    rules.require_address(is_there=True)
    rules.require_consent(holds=True)
    rules.require_unblocked(None)
    rules.require_another(me, volunteer_id=uuid4())
    with pytest.raises(rules.KitStateDiffers):
        rules.require_state("shipped", State.ISSUED, command="give_address")
    with pytest.raises(rules.NoKitAddress):
        rules.require_address(is_there=False)
    with pytest.raises(rules.AddressConsentNeeded):
        rules.require_consent(holds=False)
    with pytest.raises(rules.KitsBlocked) as blocked:
        rules.require_unblocked(me)
    assert blocked.value.facts == {"kit_id": me}
    with pytest.raises(rules.OwnKit):
        rules.require_another(me, volunteer_id=me)
