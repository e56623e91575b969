"""What HTTP callers send and see of partners, listings and shifts."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.listings import queries
from shared.errors import Title
from shared.web.fields import Count, Day, Instant, Items, Shown, Text, Whole
from shared.web.lists import Listed


class PartnerFacts(BaseModel):
    """What activities must know of a partner."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=120)
    agreement: Literal["signed", "carried_over"]
    since: Day


class Partner(PartnerFacts):
    """A partner that may publish."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    reference: Shown


class NewShift(BaseModel):
    """An occasion to be published; whole minutes, half-open."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Instant
    ends_at: Instant
    capacity: Whole = Field(ge=1, le=10_000)


class NewListing(BaseModel):
    """An activity to be published; its shifts are numbered in the order given, from 1."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID
    reference: Text = Field(min_length=1, max_length=40)
    title: Text = Field(min_length=1, max_length=200)
    timezone: Text = Field(default="Asia/Shanghai", max_length=60)
    shifts: list[NewShift] = Field(min_length=1, max_length=200)


class Shift(BaseModel):
    """One occasion of a listing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: Count
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    service_on: date
    capacity: Count
    taken: Count
    state: Literal["open", "running", "held", "cancelled"]
    cancelled_because: Shown | None


class Listing(BaseModel):
    """A published activity with its shifts."""

    id: UUID
    partner_id: UUID
    reference: Shown
    title: Shown
    timezone: Shown
    published_at: AwareDatetime
    shifts: Items[Shift]

    @property
    def shift_count(self) -> int:
        """Count the shifts, cancelled ones too."""
        return len(self.shifts)


LISTINGS = Listed(
    queries.LISTINGS,
    Listing,
    file="listings",
    title=Title(zh="活动", en="Listings"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "reference": Title(zh="活动代码", en="Reference"),
        "title": Title(zh="活动名称", en="Title"),
        "timezone": Title(zh="时区", en="Time zone"),
        "published_at": Title(zh="发布时间", en="Published at"),
        "shift_count": Title(zh="班次数", en="Shifts"),
    },
)


class ShiftOfListing(Shift):
    """A shift with what a person must read about its activity."""

    listing_id: UUID
    listing_reference: Shown
    listing_title: Shown
    partner_id: UUID
    timezone: Shown


class Cancellation(BaseModel):
    """Why a shift is called off."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=500)
