"""Refusals, as logs and dead letters show them."""

import pytest

from shared.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, Title, TooMany


class Closed(Conflict):
    """Somebody came too late."""

    code = "closed"
    title = Title(zh="已结束", en="It is closed")


def test_a_refusal_reads_as_one_line() -> None:
    """An operator sees in a dead letter what happened, with the facts of the case."""
    assert str(Closed(shift="7", minutes=5)) == "closed: It is closed (shift=7, minutes=5)"
    assert str(Closed()) == "closed: It is closed"


def test_a_refusal_keeps_its_facts() -> None:
    """The caller gets them as values, not out of a sentence."""
    assert Closed(minutes=5).facts == {"minutes": 5}


def test_what_a_refusal_quotes_is_for_the_caller_alone() -> None:
    """A heading of a sheet without headings is somebody's name; dead letters and logs get the rest."""
    closed = Closed(found="王小明", unknown=["王小明"], row=3)

    assert closed.facts == {"found": "王小明", "unknown": ["王小明"], "row": 3}
    assert closed.told == {"row": 3}
    assert str(closed) == "closed: It is closed (row=3)"


@pytest.mark.parametrize("kind", [NotFound, NotAllowed, Invalid, Conflict, TooMany])
def test_each_kind_speaks_both_languages(kind: type[Refusal]) -> None:
    """Whoever raises the kind itself still says something to a person."""
    assert kind.code
    assert kind.title.zh
    assert kind.title.en
    assert kind.title.zh != kind.title.en
