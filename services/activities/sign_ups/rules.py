"""Who gets a place."""

from datetime import datetime

from shared.errors import Conflict, NotFound, Title


class ShiftFull(Conflict):
    """Every place is taken."""

    code = "shift_full"
    title = Title(zh="名额已满", en="The shift is full")


class ShiftOver(Conflict):
    """The shift has ended."""

    code = "shift_over"
    title = Title(zh="该场次已结束", en="This shift is over")


class NotSignedUp(NotFound):
    """This person has no place on this shift."""

    code = "not_signed_up"
    title = Title(zh="您没有报名该场次", en="You are not signed up for this shift")


def require_before_end(ends_at: datetime, *, now: datetime) -> None:
    """Refuse a place on a shift that has ended. Raises ShiftOver."""
    if now >= ends_at:
        raise ShiftOver(ended_at=ends_at)


def require_room(*, taken: int, capacity: int) -> None:
    """Refuse a place when none is left. Raises ShiftFull."""
    if taken >= capacity:
        raise ShiftFull(capacity=capacity)


def pseudonym(number: int) -> Title:
    """Return what somebody is called on a shift by those who may not see the name."""
    return Title(zh=f"志愿者 {number:02d}", en=f"Volunteer {number:02d}")
