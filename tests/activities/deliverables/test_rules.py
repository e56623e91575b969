from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.activities.closings.rules import claim_until
from services.activities.deliverables import rules
from services.activities.deliverables.rules import Command, State
from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Refusal
from shared.working_days import Calendar
from tests.factories.activities import NOON

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
# What each command makes of work in a state; every other command is `deliverable_closed`.
POSSIBLE: dict[State, dict[Command, str]] = {
    State.DUE: {Command.SUBMIT: "submitted", Command.LAPSE: "overdue", Command.RELEASE: "released"},
    State.SUBMITTED: {
        Command.REQUEST_REVISION: "revision_requested", Command.ACCEPT: "accepted",
        Command.ACCEPT_PARTLY: "partially_accepted", Command.REJECT: "rejected", Command.RELEASE: "released",
    },
    State.REVISION_REQUESTED: {Command.SUBMIT: "submitted", Command.LAPSE: "overdue", Command.RELEASE: "released"},
    State.OVERDUE: {Command.SUBMIT: "submitted", Command.ABANDON: "abandoned", Command.RELEASE: "released"},
}  # fmt: skip


def outcome(state: State, command: Command) -> str:
    try:
        return rules.next_state(state, command)
    except Refusal as refusal:
        return refusal.code


def test_the_table_of_states_and_commands_is_whole() -> None:
    """Each command in each state has one outcome, and it is written down here."""
    found = {(state, command): outcome(state, command) for state in State for command in Command}
    assert found == {
        (state, command): POSSIBLE.get(state, {}).get(command, "deliverable_closed") for state, command in found
    }
    assert set(POSSIBLE) == rules.OPEN


@pytest.mark.parametrize("place", PlaceState)
def test_only_who_is_expected_or_was_there_owes(place: PlaceState) -> None:
    """Who was excused, called off or taken back owes nothing."""
    is_owed = place in {PlaceState.CONFIRMED, PlaceState.ATTENDED}
    assert rules.is_owed(place) is is_owed
    if is_owed:
        rules.require_owed(place)
        return
    with pytest.raises(rules.NothingOwed):
        rules.require_owed(place)


def test_work_is_asked_for_again_twice() -> None:
    """Then it is accepted, in part or not at all."""
    rules.require_revisions_left(1)
    with pytest.raises(rules.RevisionsUsedUp):
        rules.require_revisions_left(2)


def test_the_same_again_is_no_second_submission() -> None:
    """A slow phone sends twice; and what a revision was asked for of is no revision."""
    assert rules.is_repeated(State.SUBMITTED, is_same=True)
    assert not rules.is_repeated(State.SUBMITTED, is_same=False)
    assert not rules.is_repeated(State.OVERDUE, is_same=True)
    assert not rules.is_repeated(State.REVISION_REQUESTED, is_same=False)
    with pytest.raises(rules.UnchangedSubmission):
        rules.is_repeated(State.REVISION_REQUESTED, is_same=True)


class TestDays:
    @pytest.mark.parametrize(
        ("ends_at", "until"),
        [
            (NOON, datetime(2022, 6, 6, 16, tzinfo=UTC)),  # Wednesday: until the end of Monday.
            (datetime(2022, 6, 1, 15, 59, tzinfo=UTC), datetime(2022, 6, 6, 16, tzinfo=UTC)),  # A minute to midnight.
            (datetime(2022, 6, 1, 16, 0, tzinfo=UTC), datetime(2022, 6, 7, 16, tzinfo=UTC)),  # Midnight is Thursday.
            (datetime(2022, 6, 4, 4, tzinfo=UTC), datetime(2022, 6, 8, 16, tzinfo=UTC)),  # Saturday: Wednesday.
        ],
    )
    def test_work_is_due_after_three_working_days_where_it_is_done(self, ends_at: datetime, until: datetime) -> None:
        """Local days count, the last one whole."""
        assert rules.due_until(ends_at, SHANGHAI, now=ends_at) == until

    def test_a_day_of_daylight_saving_is_a_day(self) -> None:
        """The night of 12 to 13 March 2022 has an hour less in New York."""
        friday = datetime(2022, 3, 11, 17, tzinfo=UTC)
        assert rules.due_until(friday, NEW_YORK, now=friday) == datetime(2022, 3, 17, 4, tzinfo=UTC)
        before = datetime(2022, 3, 7, 17, tzinfo=UTC)
        assert rules.due_until(before, NEW_YORK, now=before) == datetime(2022, 3, 11, 5, tzinfo=UTC)

    def test_holidays_are_no_working_days(self) -> None:
        """The third of June 2022 was one, and the fifth was worked instead."""
        calendar = Calendar(frozenset({date(2022, 6, 3)}), frozenset({date(2022, 6, 5)}))
        assert rules.due_until(NOON, SHANGHAI, now=NOON, calendar=calendar) == datetime(2022, 6, 6, 16, tzinfo=UTC)
        assert rules.answer_until(NOON, SHANGHAI, calendar=calendar) == datetime(2022, 6, 8, 16, tzinfo=UTC)

    def test_who_is_told_late_has_the_same_days(self) -> None:
        """A day's delay is ours to bear; after weeks of silence nobody is overdue at once."""
        on_time = datetime(2022, 6, 6, 16, tzinfo=UTC)
        assert rules.due_until(NOON, SHANGHAI, now=NOON + rules.LATE) == on_time
        late = NOON + rules.LATE + timedelta(microseconds=1)
        assert rules.due_until(NOON, SHANGHAI, now=late) == datetime(2022, 6, 7, 16, tzinfo=UTC)
        assert rules.due_until(NOON, SHANGHAI, now=NOON + timedelta(weeks=3)) == datetime(2022, 6, 27, 16, tzinfo=UTC)

    def test_a_partner_has_five_working_days(self) -> None:
        """And a revision three."""
        assert rules.answer_until(NOON, SHANGHAI) == datetime(2022, 6, 8, 16, tzinfo=UTC)
        assert rules.revise_until(NOON, SHANGHAI) == datetime(2022, 6, 6, 16, tzinfo=UTC)

    @pytest.mark.parametrize("day", range(1, 29))
    def test_what_is_abandoned_is_too_late_to_be_claimed(self, day: int) -> None:
        """Nobody claims a scan of what was to be handed in: whatever the weekday, the claim's time is over."""
        ends_at = datetime(2022, 6, day, 4, tzinfo=UTC)
        due = rules.due_until(ends_at, SHANGHAI, now=ends_at)
        assert rules.abandoned_at(due, SHANGHAI) > claim_until(ends_at, SHANGHAI)
