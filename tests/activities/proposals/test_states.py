"""Every state × every command: what the table says is what happens, and what it does not say changes nothing."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.proposals import actions, rules
from services.activities.proposals.rules import TRANSITIONS, Command, State
from services.activities.proposals.tables import Proposal, ProposalVersion
from services.activities.reviews.tables import ProposalDecision
from shared.errors import Refusal
from tests.factories.activities import NINE, make_round
from tests.factories.proposals import DAY, do, make_proposal

PAIRS = [(state, command) for state in State for command in Command]
AGAIN = {  # What is so already: a repeat changes nothing and is no error.
    (State.SUBMITTED, Command.RELEASE),
    (State.IN_REVIEW, Command.CLAIM),
    (State.WITHDRAWN, Command.WITHDRAW),
}


def counts(tx: Session, proposal: Proposal) -> tuple[int, int]:
    versions = tx.scalars(select(ProposalVersion.number).where(ProposalVersion.proposal_id == proposal.id)).all()
    decisions = tx.scalars(select(ProposalDecision.id).where(ProposalDecision.proposal_id == proposal.id)).all()
    return len(versions), len(decisions)


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_the_table_says_where_each_command_leads(tx: Session, state: State, command: Command) -> None:
    """Through the actions themselves; what is refused leaves state, versions and decisions as they were."""
    proposal = make_proposal(tx, state=state)
    before = counts(tx, proposal)
    expected = TRANSITIONS.get((state, command))

    if command is Command.EXPIRE:
        actions.expire_overdue(tx, now=NINE + 30 * DAY)
    elif expected is None and (state, command) not in AGAIN:
        with pytest.raises(Refusal) as refused:
            do(tx, proposal, command)
        assert refused.value.code == "wrong_proposal_state"
    else:
        do(tx, proposal, command)

    tx.flush()
    tx.expire_all()
    assert proposal.state == (expected or state)
    if expected is None:
        assert counts(tx, proposal) == before


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_the_rule_and_the_table_agree(state: State, command: Command) -> None:
    """Pure: a state without the command refuses it by name."""
    if (state, command) in TRANSITIONS:
        assert rules.after(state, command) is TRANSITIONS[state, command]
    else:
        with pytest.raises(rules.WrongProposalState):
            rules.after(state, command)


def test_what_is_over_is_over() -> None:
    """No command leads out of an end."""
    ends = {State.APPROVED, State.REJECTED, State.WITHDRAWN, State.EXPIRED}

    assert {state for state, _ in TRANSITIONS} == set(State) - ends


def test_the_deadline_binds_the_partner_and_not_the_reviewer(tx: Session) -> None:
    """At the review deadline, to the second, drafts and what was sent back expire; what waits for us does not."""
    call = make_round(tx)
    made = {
        state: make_proposal(tx, state=state, call=call, title=f"净滩第{place}场") for place, state in enumerate(State)
    }

    def expired_at(now: datetime) -> set[State]:
        actions.expire_overdue(tx, now=now)
        return {state for state, proposal in made.items() if proposal.state == State.EXPIRED}

    assert expired_at(call.review_by - DAY / 86_400) == {State.EXPIRED}
    for late in (0 * DAY, 30 * DAY):
        assert expired_at(call.review_by + late) == {State.DRAFT, State.CHANGES_REQUESTED, State.EXPIRED}
    assert made[State.DRAFT].ended_at == call.review_by
