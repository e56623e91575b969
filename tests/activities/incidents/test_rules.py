from datetime import timedelta

import pytest

from services.activities.incidents import rules
from services.activities.incidents.rules import Command, Side, State
from shared.errors import Refusal
from shared.events.activities_incidents import IncidentKind
from tests.factories.activities import NINE

STAYS = {State.OPEN: "open", State.IN_PROGRESS: "in_progress"}
EXPECTED = {
    (State.OPEN, Command.ASSIGN): "in_progress",
    (State.OPEN, Command.SHARE): "open",
    (State.OPEN, Command.NOTE): "open",
    (State.OPEN, Command.RESOLVE): "incident_unowned",
    (State.OPEN, Command.DISMISS): "incident_unowned",
    (State.IN_PROGRESS, Command.ASSIGN): "in_progress",
    (State.IN_PROGRESS, Command.SHARE): "in_progress",
    (State.IN_PROGRESS, Command.NOTE): "in_progress",
    (State.IN_PROGRESS, Command.RESOLVE): "resolved",
    (State.IN_PROGRESS, Command.DISMISS): "dismissed",
} | {(state, command): "incident_closed" for state in (State.RESOLVED, State.DISMISSED) for command in Command}


def outcome(state: State, command: Command) -> str:
    try:
        return rules.state_after(state, command)
    except Refusal as refusal:
        return refusal.code


def test_the_table_of_states_and_commands_is_whole() -> None:
    """Each command in each state has one outcome, and it is written down here."""
    assert {(state, command): outcome(state, command) for state in State for command in Command} == EXPECTED


@pytest.mark.parametrize(
    ("kind", "days"),
    [("safety", 1), ("accident", 1), ("data", 3), ("fraud_signal", 7), ("complaint", 7), ("other", 14)],
)
def test_what_is_dangerous_is_urgent(kind: str, days: int) -> None:
    """Each kind has a deadline of its own."""
    assert rules.deadline_of(IncidentKind(kind), opened_at=NINE) == NINE + timedelta(days=days)


def test_every_kind_has_a_deadline() -> None:
    """None is for ever."""
    assert set(rules.TIME_TO_CLOSE) == set(IncidentKind)


def test_only_a_partners_own_report_is_shown_to_it_at_once() -> None:
    """A complaint about a partner is staff's to share."""
    assert [side for side in Side if rules.is_shared_at_once(side)] == [Side.PARTNER]


def test_notes_are_bounded() -> None:
    """The last one fits."""
    rules.require_room(rules.MOST_NOTES - 1)
    with pytest.raises(rules.TooManyNotes):
        rules.require_room(rules.MOST_NOTES)
