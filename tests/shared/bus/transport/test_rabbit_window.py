"""Answers come out of order, several at once and late (PITFALLS K3): each settles its own letter and no other."""

import pytest

from shared.bus.transport import Outcome
from shared.bus.transport.rabbit.connection import Hosts, Wire
from shared.bus.transport.rabbit.window import Route, Window
from tests.shared.bus.transport.letters import CONFIRMED, make_letters

LETTERS = make_letters(4)
FIRST_TAG = 11  # Ten letters went before, in earlier windows of the same connection.
ONE, TWO, THREE, FOUR = (letter.id for letter in LETTERS)


@pytest.fixture
def wire(url: str) -> Wire:
    """Give a connection that has ended: nothing is sent on it, answers are still taken."""
    wire = Hosts(url).connect(prepare=Wire.opened, on_lost=lambda _wire: None)
    wire.close()
    return wire


@pytest.fixture
def window(wire: Wire) -> Window:
    return Window(LETTERS, Route("", content_type="text/plain", mandatory=True), wire=wire, first_tag=FIRST_TAG)


def test_an_answer_settles_its_letter_alone(window: Window) -> None:
    """The third may be confirmed before the first."""
    window.settle(13, multiple=False, outcome=CONFIRMED)
    window.settle(11, multiple=False, outcome=Outcome.REFUSED)

    assert window.answers() == {ONE: Outcome.REFUSED, THREE: CONFIRMED}
    assert not window.ended.is_set()


def test_an_answer_for_several_settles_those_without_one(window: Window) -> None:
    """What was refused before stays refused."""
    window.settle(12, multiple=False, outcome=Outcome.REFUSED)
    window.settle(13, multiple=True, outcome=CONFIRMED)
    assert window.answers() == {ONE: CONFIRMED, TWO: Outcome.REFUSED, THREE: CONFIRMED}

    window.settle(14, multiple=True, outcome=CONFIRMED)

    assert window.answers()[FOUR] is CONFIRMED
    assert window.ended.is_set()


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("tag", [1, 8, 10])
def test_a_late_answer_for_an_earlier_window_settles_nothing(window: Window, tag: int, *, multiple: bool) -> None:
    """After an alarm the broker confirms what an earlier call gave up on."""
    window.settle(tag, multiple=multiple, outcome=CONFIRMED)

    assert window.answers() == {}


def test_a_late_answer_may_reach_into_this_window(window: Window) -> None:
    """One answer for several knows no windows."""
    window.settle(12, multiple=True, outcome=CONFIRMED)

    assert window.answers() == {ONE: CONFIRMED, TWO: CONFIRMED}


def test_a_returned_letter_is_refused_although_it_is_acknowledged(window: Window) -> None:
    """The return comes first and names the letter, the acknowledgement only counts."""
    window.take_back(TWO)
    window.settle(14, multiple=True, outcome=CONFIRMED)

    assert window.answers() == {ONE: CONFIRMED, TWO: Outcome.REFUSED, THREE: CONFIRMED, FOUR: CONFIRMED}
