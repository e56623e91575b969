"""How somebody on a shift's board stands, and when there is nothing more to see. Source: DOMAIN.md section 1."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from services.activities.closings.rules import happens

Key = TypeVar("Key")
Line = TypeVar("Line")


class Presence(StrEnum):
    """Where somebody with a place on a shift is, as far as that is known."""

    EXPECTED = "expected"
    HERE = "here"
    LEFT = "left"
    MISSED = "missed"  # Nothing was scanned, and the shift is over.
    NO_SHOW = "no_show"
    NOT_CHECKED_OUT = "not_checked_out"  # Somebody came, and nobody knows until when.
    TAKEN_BACK = "taken_back"  # A reviewer says that the attendance never was.


_ATTENDED = {"checked_in": Presence.HERE, "settled": Presence.LEFT, "voided": Presence.TAKEN_BACK}
_ABSENT = {"missed": Presence.MISSED, "no_show": Presence.NO_SHOW}


def presence(place: str, attendance: str | None) -> Presence:
    """Say where somebody is by the states of their place and of their attendance, None without one."""
    if attendance == "checked_in" and place in _ABSENT:
        return Presence.NOT_CHECKED_OUT
    if attendance is not None:
        return _ATTENDED[attendance]
    return _ABSENT.get(place, Presence.EXPECTED)


def is_over(shift: str, *, is_concluded: bool) -> bool:
    """Say whether nobody comes or leaves any more: the shift is closed, or does not happen."""
    return is_concluded or not happens(shift)


def differences(before: Mapping[Key, Line], after: Mapping[Key, Line]) -> tuple[list[Line], list[Key]]:
    """Return which lines are new or other than before, in order, and the keys of those that are gone."""
    return [line for key, line in after.items() if before.get(key) != line], [key for key in before if key not in after]
