from typing import Final

import pytest

from services.activities.sign_ups import rules
from services.activities.sign_ups.rules import Command, State

# As DOMAIN.md section 4 has it, with the ways back in; read row by row. Everything else is refused.
ALLOWED: Final = """
    waitlisted     offer          offered
    waitlisted     take           confirmed
    waitlisted     withdraw       withdrawn
    waitlisted     cancel         cancelled_by_host
    offered        accept         confirmed
    offered        expire         offer_expired
    offered        withdraw       withdrawn
    offered        cancel         cancelled_by_host
    confirmed      withdraw       withdrawn
    confirmed      withdraw_late  late_withdrawn
    confirmed      excuse         excused
    confirmed      cancel         cancelled_by_host
    confirmed      attend         attended
    confirmed      miss           missed
    confirmed      mark_no_show   no_show
    missed         cancel         cancelled_by_host
    missed         attend         attended
    missed         excuse         excused
    missed         mark_no_show   no_show
    no_show        attend         attended
    no_show        excuse         excused
    withdrawn      return         confirmed
    withdrawn      return_to_line waitlisted
    offer_expired  return         confirmed
    offer_expired  return_to_line waitlisted
"""
TABLE: Final = {(state, command): after for state, command, after in map(str.split, ALLOWED.strip().splitlines())}


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("state", State)
def test_each_command_in_each_state(state: State, command: Command) -> None:
    """What is not said to be possible is refused, and says in which state."""
    expected = TABLE.get((state, command))
    if expected is None:
        with pytest.raises(rules.SignUpClosed) as refused:
            rules.next_state(state, command)
        assert refused.value.facts == {"state": state, "command": command}
        assert state not in rules.sources(command)
    else:
        assert rules.next_state(state, command) == expected == rules.target(command)
        assert state in rules.sources(command)


def test_every_state_is_reached_and_left_or_is_an_end() -> None:
    """No state is forgotten: the beginnings are made by signing up, the ends are these."""
    reached, left = {after for _, after in rules.TRANSITIONS.items()}, {state for state, _ in rules.TRANSITIONS}
    assert reached == set(State)
    assert set(State) - left == {State.LATE_WITHDRAWN, State.EXCUSED, State.CANCELLED_BY_HOST, State.ATTENDED}


def test_who_is_asked_takes_a_place_and_has_none() -> None:
    """Nobody else can have it, and it opens no door."""
    assert {State.OFFERED} == rules.TAKING - rules.PLACED
    assert {State.WAITLISTED} == rules.PENDING - rules.TAKING
