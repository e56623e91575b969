"""Money and time as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.money import hours, yuan
from shared.web.fields import Money


@given(st.integers(-(10**18), 10**18))
def test_yuan_loses_no_fen(fen: int) -> None:
    """What is printed can be read back to the fen."""
    text = yuan(fen)
    whole, rest = text.replace(",", "").removeprefix("-").split(".")

    assert len(rest) == 2
    assert (-1 if text.startswith("-") else 1) * (int(whole) * 100 + int(rest)) == fen


@given(st.integers(-(10**12), 10**12))
def test_hours_lose_no_minute(minutes: int) -> None:
    """What is printed can be read back to the minute."""
    text = hours(minutes)
    whole, _, rest = text.replace(",", "").removeprefix("-").partition(" h")
    left = int(rest.removesuffix(" min") or 0)

    assert 0 <= left < 60
    assert (-1 if text.startswith("-") else 1) * (int(whole) * 60 + left) == minutes


@pytest.mark.parametrize(
    ("fen", "text"),
    [(605_530_000, "6,055,300.00"), (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-100, "-1.00"), (99_999, "999.99")],
)
def test_yuan_as_people_write_it(fen: int, text: str) -> None:
    """Thousands are grouped, fen always has two digits, a debt has its sign in front."""
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(3_633_180, "60,553 h"), (95, "1 h 35 min"), (0, "0 h"), (59, "0 h 59 min"), (-95, "-1 h 35 min")],
)
def test_hours_as_people_say_them(minutes: int, text: str) -> None:
    """Sixty minutes are an hour, taken away as well as added."""
    assert hours(minutes) == text


def test_money_is_whole_fen() -> None:
    """A fraction of a fen is no money."""
    assert Money(fen=10_000).model_dump() == {"currency": "CNY", "fen": 10_000}
    with pytest.raises(ValidationError):
        Money(fen=0.5)
