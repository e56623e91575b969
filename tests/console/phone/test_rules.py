from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.console.phone import rules
from services.console.phone.rules import Place, Shift, Step
from tests.console.figures import SHIFT_ID

NOON = datetime(2022, 6, 18, 4, 0, tzinfo=UTC)
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "123456")


def make_shift(state: str = "open") -> Shift:
    return Shift(UUID(SHIFT_ID), "2022-LIB-07", "故事会", NOON, NOON + timedelta(hours=2), "Asia/Shanghai", state)


class TestNextStep:
    @pytest.mark.parametrize(
        ("place", "step"),
        [
            (Place("expected"), Step.CHECK_IN),
            (Place("checked_in"), Step.CHECK_OUT),
            (Place("settled"), Step.DONE),
            (Place("voided"), Step.VOIDED),
        ],
    )
    @pytest.mark.parametrize("state", ["open", "go", "running", "held"])
    def test_offers_one_thing(self, place: Place, step: Step, state: str) -> None:
        """The page has one big button, and it is the right one."""
        assert rules.next_step(make_shift(state), place) is step

    @pytest.mark.parametrize(
        ("place", "step"),
        [
            (Place("expected"), Step.CANCELLED),
            (Place("checked_in"), Step.CANCELLED),
            (Place("settled"), Step.DONE),
            (Place("voided"), Step.VOIDED),
        ],
    )
    def test_offers_nothing_on_a_cancelled_shift(self, place: Place, step: Step) -> None:
        """By whatever decision it does not happen; what was settled before stays to be seen."""
        for state in ("cancelled", "no_go", "not_run"):
            assert rules.next_step(make_shift(state), place) is step


@pytest.mark.parametrize(
    ("seconds", "remaining"), [(30, 30_000), (1.5, 1_500), (1, 1_000), (0.999, 1_000), (0, 1_000), (-3_600, 1_000)]
)
def test_a_screen_never_asks_more_than_once_a_second(seconds: float, remaining: int) -> None:
    """Clocks that differ must not turn a wall of screens into a storm."""
    assert rules.remaining_ms(NOON + timedelta(seconds=seconds), now=NOON) == remaining


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("123456", "123456"), (" 123 456 ", "123456"), ("123-456", "123456"), (FULL_WIDTH, "123456"), ("12a", "12a")],
)
def test_a_code_may_be_typed_as_phones_type(typed: str, plain: str) -> None:
    """Chinese keyboards give full-width digits; the screen groups them by three."""
    assert rules.plain_code(typed) == plain


@pytest.mark.parametrize(
    ("code", "kept"), [("123456", True), ("12345", False), ("1234567", False), (FULL_WIDTH, False)]
)
def test_only_six_digits_of_an_address_are_a_code(code: str, kept: bool) -> None:  # noqa: FBT001  A case's expectation.
    """Anything else in the address leaves the reader to type."""
    assert (rules.scanned_code(code) is not None) is kept
