from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from services.activities.rosters import rules
from services.activities.rosters.rules import State
from shared.errors import Refusal
from tests.factories.activities import NOON

EXPECTED = {
    (State.RECORDED, State.CONFIRMED): False,
    (State.RECORDED, State.DECLINED): False,
    (State.CONFIRMED, State.CONFIRMED): True,
    (State.CONFIRMED, State.DECLINED): "walk_in_answered",
    (State.DECLINED, State.CONFIRMED): "walk_in_answered",
    (State.DECLINED, State.DECLINED): True,
}


def outcome(state: State, answer: State) -> bool | str:
    try:
        return rules.is_repeat(state, answer)
    except Refusal as refusal:
        return refusal.code


def test_an_answer_is_given_once() -> None:
    """The same again changes nothing, the opposite is refused."""
    answers = (State.CONFIRMED, State.DECLINED)
    assert {(state, answer): outcome(state, answer) for state in State for answer in answers} == EXPECTED


@pytest.mark.parametrize(
    ("state", "command"),
    [("waitlisted", "take"), ("offered", "accept"), ("withdrawn", "return"), ("excused", "return")],
)
def test_who_signed_up_comes_to_the_place_that_they_had(state: str, command: str) -> None:
    """From the line, from an offer, or back."""
    assert rules.admission(state) == command


def test_the_other_refusals_are_of_what_they_say() -> None:
    """Each on one side of its boundary alone."""
    me, you = uuid4(), uuid4()
    rules.require_before(NOON, now=NOON - timedelta(seconds=1))
    rules.require_another(me, you)
    rules.require_no_place(has_place=False)
    rules.require_same(is_same=True)
    attempts: list[tuple[type[Exception], Callable[[], None]]] = [
        (rules.WalkInTooLate, lambda: rules.require_before(NOON, now=NOON)),
        (rules.OwnWalkIn, lambda: rules.require_another(me, me)),
        (rules.HasPlace, lambda: rules.require_no_place(has_place=True)),
        (rules.WalkInExists, lambda: rules.require_same(is_same=False)),
    ]
    for refusal, attempt in attempts:
        with pytest.raises(refusal):
            attempt()
