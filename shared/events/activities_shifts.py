"""What the activities service tells of shifts and their listings."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class NotRun(StrEnum):
    """Why a shift did not happen."""

    NOBODY_CAME = "nobody_came"
    TOO_FEW = "too_few"
    WEATHER = "weather"
    VENUE = "venue"
    HOST_UNABLE = "host_unable"
    FORCE_MAJEURE = "force_majeure"
    OTHER = "other"


class OfShift(Event):
    """What became of a shift, at an instant; the times are what is planned then."""

    key: ClassVar[str] = "shift_id"

    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    at: AwareDatetime


class ShiftPlacesFreed(OfShift):
    """Shortly before the start there is a free place, and a line for it: whoever is first has it."""

    type: ClassVar[str] = "activities.shift.places_freed.v1"


class ShiftHeld(OfShift):
    """Service on it was settled for the first time."""

    type: ClassVar[str] = "activities.shift.held.v1"


class ShiftCounted(OfShift):
    """A fact of a shift for which it matters how many people there are."""

    minimum: int = Field(ge=1)
    taken: int = Field(ge=0)  # Places that are had or kept for somebody.
    capacity: int = Field(ge=1)


class ShiftFellShort(ShiftCounted):
    """Three days before the start fewer people have signed up than it needs."""

    type: ClassVar[str] = "activities.shift.fell_short.v1"


class ShiftDecisionDue(ShiftCounted):
    """Somebody should decide now whether the shift happens."""

    type: ClassVar[str] = "activities.shift.decision_due.v1"


class ShiftGo(ShiftCounted):
    """The host or an operator has decided that it happens."""

    type: ClassVar[str] = "activities.shift.go.v1"


class ShiftNoGo(ShiftCounted):
    """The host or an operator has decided that it does not happen."""

    type: ClassVar[str] = "activities.shift.no_go.v1"


class ShiftCancelled(OfShift):
    """It was called off."""

    type: ClassVar[str] = "activities.shift.cancelled.v1"


class ShiftNotRun(OfShift):
    """Its time came, and it did not happen."""

    type: ClassVar[str] = "activities.shift.not_run.v1"

    because: NotRun


class ShiftRescheduled(OfShift):
    """It was moved to `starts_at`; whoever signed up before may withdraw freely."""

    type: ClassVar[str] = "activities.shift.rescheduled.v1"

    was_starts_at: AwareDatetime
    was_ends_at: AwareDatetime
    overlapping: tuple[UUID, ...]  # Sign-ups of people who have a place elsewhere at the new time.


class ShiftDrawn(OfShift):
    """Its places were drawn; whoever has the seed and the sign-ups can draw them again."""

    type: ClassVar[str] = "activities.shift.drawn.v1"

    commitment: str  # SHA-256 of the seed, published before; both in hexadecimal.
    seed: str
    entries: int = Field(ge=0)


class OfListing(Event):
    """What became of an activity, at an instant."""

    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    partner_id: UUID
    at: AwareDatetime


class ListingPublished(OfListing):
    """People may sign up for its shifts."""

    type: ClassVar[str] = "activities.listing.published.v1"


class ListingClosed(OfListing):
    """Nobody new may sign up."""

    type: ClassVar[str] = "activities.listing.closed.v1"


class ListingCancelled(OfListing):
    """Those of its shifts that had not begun were called off."""

    type: ClassVar[str] = "activities.listing.cancelled.v1"
