"""What HTTP callers send and see of partners, listings and shifts."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.web.fields import Instant, Text


class PartnerFacts(BaseModel):
    """What activities must know of a partner."""

    name: Text = Field(min_length=1, max_length=120)
    agreement: Literal["signed", "carried_over"]
    since: date


class Partner(PartnerFacts):
    """A partner that may publish."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    reference: str


class NewShift(BaseModel):
    """An occasion to be published; whole minutes, half-open."""

    starts_at: Instant
    ends_at: Instant
    capacity: int = Field(ge=1, le=10_000)


class NewListing(BaseModel):
    """An activity to be published; its shifts are numbered in the order given, from 1."""

    partner_id: UUID
    reference: Text = Field(min_length=1, max_length=40)
    title: Text = Field(min_length=1, max_length=200)
    timezone: Text = Field(default="Asia/Shanghai", max_length=60)
    shifts: list[NewShift] = Field(min_length=1, max_length=200)


class Shift(BaseModel):
    """One occasion of a listing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    service_on: date
    capacity: int
    taken: int
    state: Literal["open", "running", "held", "cancelled"]
    cancelled_because: str | None


class Listing(BaseModel):
    """A published activity with its shifts."""

    id: UUID
    partner_id: UUID
    reference: str
    title: str
    timezone: str
    shifts: list[Shift]


class Listings(BaseModel):
    """A page of listings, newest first; `next` continues the list, null at its end."""

    items: list[Listing]
    next: UUID | None


class ShiftOfListing(Shift):
    """A shift with what a person must read about its activity."""

    listing_id: UUID
    listing_reference: str
    listing_title: str
    partner_id: UUID
    timezone: str


class Cancellation(BaseModel):
    """Why a shift is called off."""

    reason: Text = Field(min_length=1, max_length=500)
