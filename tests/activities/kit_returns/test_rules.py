from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.kit_returns import rules
from services.activities.kit_returns.rules import Command, State
from services.activities.kits.rules import State as KitState
from shared.errors import Refusal

SHANGHAI = ZoneInfo("Asia/Shanghai")
ME, YOU, PARTNER = uuid4(), uuid4(), uuid4()
POSSIBLE: dict[State, dict[Command, str]] = {
    State.CLAIMED: {Command.APPROVE: "approved", Command.REFUSE: "refused", Command.CANCEL: "cancelled"},
    State.APPROVED: {Command.CANCEL: "cancelled"},
    State.REFUSED: {},
    State.CANCELLED: {},
}
Fen = st.integers(-(10**6), 10**12)


def outcome(state: State, command: Command) -> str:
    try:
        return rules.next_state(state, command)
    except Refusal as refusal:
        return refusal.code


def within(amount_fen: int, most_fen: int) -> bool:
    try:
        rules.require_within(amount_fen, most_fen=most_fen, field="amount_fen")
    except rules.BadCost:
        return False
    return True


def test_the_table_of_states_and_commands_is_whole() -> None:
    """Each command in each state has one outcome, and it is written down here."""
    found = {(state, command): outcome(state, command) for state in State for command in Command}
    expected = {(state, command): POSSIBLE[state].get(command, "kit_cost_decided") for state, command in found}
    assert found == expected


def test_what_is_not_owed_anyway_stays_when_the_kit_is_found() -> None:
    """A refusal stands."""
    assert {state for state in State if rules.is_unpaid(state)} == {State.CLAIMED, State.APPROVED}


class TestAmounts:
    @pytest.mark.parametrize(("amount", "holds"), [(0, False), (1, True), (3_000, True), (3_001, False), (-1, False)])
    def test_an_amount_is_one_fen_at_least_and_the_ceiling_at_most(self, amount: int, *, holds: bool) -> None:
        """Both bounds are in."""
        assert within(amount, 3_000) is holds

    @given(amount=Fen, approved=Fen, ceiling=st.integers(0, 10**12))
    def test_nothing_beyond_the_ceiling_is_ever_owed(self, amount: int, approved: int, ceiling: int) -> None:
        """Whatever is claimed and approved, in that order: what passes both is within all bounds."""
        if within(amount, ceiling) and within(approved, amount):
            assert 1 <= approved <= amount <= ceiling

    @given(ceiling=st.integers(1, 10**12), data=st.data())
    def test_whatever_is_within_can_be_claimed_and_approved_for_less(self, ceiling: int, data: st.DataObject) -> None:
        """No amount is refused that the terms allow."""
        amount = data.draw(st.integers(1, ceiling))
        assert within(amount, ceiling)
        assert within(data.draw(st.integers(1, amount)), amount)

    def test_without_a_ceiling_nothing_can_be_claimed(self) -> None:
        """Where zero was agreed."""
        assert not within(1, 0)


@pytest.mark.parametrize("state", KitState)
def test_only_a_lost_kit_costs(state: KitState) -> None:
    """Overdue is not lost."""
    if state is KitState.LOST:
        rules.require_lost(state)
        return
    with pytest.raises(rules.KitNotLost):
        rules.require_lost(state)


@pytest.mark.parametrize("state", KitState)
@pytest.mark.parametrize("is_cleared", [False, True])
def test_only_what_restricts_is_lifted(state: KitState, *, is_cleared: bool) -> None:
    """Once."""
    cleared_at = datetime(2022, 6, 20, tzinfo=UTC) if is_cleared else None
    if state in {KitState.OVERDUE, KitState.LOST} and not is_cleared:
        rules.require_blocking(state, cleared_at=cleared_at)
        return
    with pytest.raises(rules.NotBlocking):
        rules.require_blocking(state, cleared_at=cleared_at)


@pytest.mark.parametrize(
    ("parties", "of_partner", "may"),
    [({YOU}, None, True), ({YOU}, uuid4(), True), ({ME, YOU}, None, False), ({YOU}, PARTNER, False)],
    ids=["stranger", "of another partner", "party", "of the partner"],
)
def test_a_stranger_decides(parties: set[object], of_partner: object, *, may: bool) -> None:
    """Maker and approver are two, and the approver is not of the partner."""

    def decide() -> None:
        rules.require_stranger(ME, parties, partner_id=PARTNER, of_partner=of_partner)  # type: ignore[arg-type]  # Ids.

    if may:
        decide()
        return
    with pytest.raises(rules.OwnCost):
        decide()


def test_a_second_claim_is_the_first_or_none() -> None:
    """A kit has one."""
    rules.require_same(is_same=True)
    with pytest.raises(rules.CostClaimed):
        rules.require_same(is_same=False)


def test_an_overdue_kit_is_given_up_after_twenty_working_days() -> None:
    """Counted from when it was found overdue: an outage of ours takes no day from anybody."""
    overdue_at = datetime(2022, 6, 15, 16, tzinfo=UTC)  # Thursday, the 16th, in Shanghai.
    assert rules.lose_at(overdue_at, SHANGHAI) == datetime(2022, 7, 14, 16, tzinfo=UTC)
    weeks_late = overdue_at + timedelta(days=21)
    assert rules.lose_at(weeks_late, SHANGHAI) == datetime(2022, 8, 4, 16, tzinfo=UTC)
