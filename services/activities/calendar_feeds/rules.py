"""What calendar programs are told of shifts, and by which addresses. Source: DOMAIN.md section 4, decision 0060."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.activities.listings.rules import OFF
from services.activities.sign_ups.rules import PENDING, PLACED, State
from shared.documents.calendars import Status
from shared.errors import Conflict, Title

MOST_FEEDS: Final = 10  # Of one person, in all of their roles.
MOST_EVENTS: Final = 500  # In one calendar.
HOLDS_FOR: Final = timedelta(days=366)  # Whether somebody still acts for a partner or the programme is not known here.
BEFORE: Final = timedelta(days=30)
AHEAD: Final = timedelta(days=366)
SECRET_BYTES: Final = 32
WAITING: Final = frozenset({State.WAITLISTED, State.OFFERED})
GONE: Final = frozenset(State) - PENDING - PLACED  # Once a place, or one in the line; calendars are to drop it.


class Kind(StrEnum):
    """Whose shifts a feed shows: a volunteer's own, a partner's, or the whole programme's."""

    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    PROGRAMME = "programme"


class TooManyFeeds(Conflict):
    """The person has as many calendar feeds as one may have; `most` says how many."""

    code = "too_many_calendar_feeds"
    title = Title(zh="日历订阅已达上限，请先停用不用的", en="You have too many calendar feeds: revoke one first")


@dataclass(frozen=True, slots=True)
class Window:
    """What a calendar shows: what ends after `since` and starts before `until`; `most`, nearest to `now`."""

    since: datetime
    now: datetime
    until: datetime
    most: int = MOST_EVENTS


def window(now: datetime) -> Window:
    """Return what calendars show now."""
    return Window(now - BEFORE, now, now + AHEAD)


def new_secret() -> str:
    """Draw the secret of an address: 256 bits, in letters that stand in addresses."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret. It was drawn, so that a slow hash would keep nobody from guessing it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def expiry(kind: Kind, *, now: datetime) -> datetime | None:
    """Say when a feed ends by itself: a volunteer's own does not."""
    return None if kind is Kind.VOLUNTEER else now + HOLDS_FOR


def require_room(feeds: int) -> None:
    """Refuse a feed too many. Raises TooManyFeeds."""
    if feeds >= MOST_FEEDS:
        raise TooManyFeeds(most=MOST_FEEDS)


def status_of_shift(shift: str) -> Status:
    """Say what a shift is to its host's calendar."""
    return Status.CANCELLED if shift in OFF else Status.CONFIRMED


def status_of_place(place: str, *, shift: str) -> Status:
    """Say what a shift is to the calendar of somebody who signed up for it: in the line it is tentative."""
    if shift in OFF or place in GONE:
        return Status.CANCELLED
    return Status.TENTATIVE if place in WAITING else Status.CONFIRMED
