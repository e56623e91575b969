"""How somebody stands on a board, and when it is over."""

import pytest

from services.activities.boards import rules
from services.activities.boards.rules import Presence


@pytest.mark.parametrize(
    ("place", "attendance", "is_"),
    [
        ("confirmed", None, "expected"),
        ("confirmed", "checked_in", "here"),
        ("confirmed", "settled", "left"),
        ("attended", "settled", "left"),
        ("missed", None, "missed"),
        ("missed", "checked_in", "not_checked_out"),
        ("no_show", "checked_in", "not_checked_out"),
        ("missed", "settled", "left"),
        ("no_show", None, "no_show"),
        ("confirmed", "voided", "taken_back"),
    ],
)
def test_where_somebody_is_follows_from_scans_before_places(place: str, attendance: str | None, is_: str) -> None:
    """Who was scanned is here, until the shift is closed: then nobody knows where they are who did not leave."""
    assert rules.presence(place, attendance) == Presence(is_)


@pytest.mark.parametrize(
    ("shift", "is_concluded", "is_over"),
    [
        ("open", False, False), ("running", False, False), ("held", False, False), ("held", True, True),
        ("cancelled", False, True), ("not_run", False, True), ("no_go", False, True),
    ],
)  # fmt: skip
def test_a_board_is_over_when_nobody_comes_any_more(shift: str, *, is_concluded: bool, is_over: bool) -> None:
    """Held is not over: others are still inside."""
    assert rules.is_over(shift, is_concluded=is_concluded) == is_over


def test_differences_are_what_is_new_or_other_and_what_is_gone() -> None:
    """What is as before is not sent again."""
    assert rules.differences({"a": 1, "b": 2, "c": 3}, {"d": 4, "a": 1, "b": 5}) == ([4, 5], ["c"])
    assert rules.differences({"a": 1}, {"a": 1}) == ([], [])
