"""Whether a shift happens, and when. Source: DOMAIN.md section 4, "Listing and shifts"."""

from datetime import datetime, timedelta
from typing import Final

from services.activities.listings.rules import BadShift, ListingState, Times, require_times
from shared.errors import Conflict, Title

SHORT_WITHIN: Final = timedelta(hours=72)  # Of the start people still can be found.
DECIDE_WITHIN: Final = timedelta(hours=48)  # Of the start it should be known: kits are sent, and people plan their day.


class ShiftStarted(Conflict):
    """The shift's time has come: whether it was held or not is recorded, not decided."""

    code = "shift_started"
    title = Title(zh="该场次已开始，请记录其是否举行", en="The shift has started; record whether it was held")


class ShiftNotStarted(Conflict):
    """The shift's time has not come: it may be called off."""

    code = "shift_not_started"
    title = Title(zh="该场次尚未开始，可以取消", en="The shift has not started; it can be cancelled")


class ListingEnded(Conflict):
    """The activity is closed or cancelled; `state` says which."""

    code = "listing_ended"
    title = Title(zh="该活动已结束或取消", en="The activity is closed or cancelled")


def require_before_start(starts_at: datetime, *, now: datetime) -> None:
    """Refuse to call off what should be under way. Raises ShiftStarted."""
    if now >= starts_at:
        raise ShiftStarted(started_at=starts_at)


def require_started(starts_at: datetime, *, now: datetime) -> None:
    """Refuse to say of what is to come that it did not happen. Raises ShiftNotStarted."""
    if now < starts_at:
        raise ShiftNotStarted(starts_at=starts_at)


def require_new_times(times: Times, *, was: Times, now: datetime) -> None:
    """Refuse to move a shift that has begun, into the past, or to where it is. Raises ShiftStarted, BadShift."""
    require_before_start(was.starts_at, now=now)
    require_times(times)
    if times.starts_at <= now:
        raise BadShift(field="starts_at", expected="a time to come")
    if times == was:
        raise BadShift(field="starts_at", expected="other times than now")


def require_published(state: str) -> None:
    """Refuse to close what is closed or cancelled. Raises ListingEnded."""
    if state != ListingState.PUBLISHED:
        raise ListingEnded(state=state)
