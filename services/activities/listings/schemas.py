"""What HTTP callers send and see of listings and shifts."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.activities.listings import queries, tables
from services.activities.listings.rules import MOST_SHIFTS, ListingState, ShiftState
from services.activities.recurrences.schemas import NewShift
from shared.errors import Title
from shared.events.activities_shifts import NotRun
from shared.web.fields import Count, Items, Shown, Text
from shared.web.lists import Listed


class NewListing(BaseModel):
    """An activity to be published; its shifts are numbered in the order given, from 1, as they are written out."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID
    reference: Text = Field(min_length=1, max_length=40)
    title: Text = Field(min_length=1, max_length=200)
    timezone: Text = Field(default="Asia/Shanghai", max_length=60)
    shifts: list[NewShift] = Field(min_length=1, max_length=MOST_SHIFTS, description="200 at most, written out.")


class ShiftPlan(BaseModel):
    """Shifts as they would be published, to see what their repetitions come to."""

    model_config = ConfigDict(extra="forbid")

    timezone: Text = Field(default="Asia/Shanghai", max_length=60)
    shifts: list[NewShift] = Field(min_length=1, max_length=MOST_SHIFTS)


class PlannedShift(BaseModel):
    """One shift of a plan; `service_on` is the local date on which it starts."""

    number: Count
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    service_on: date
    capacity: Count
    minimum: Count


class WrittenOut(BaseModel):
    """A plan with every shift by itself, numbered as it would be published."""

    items: Items[PlannedShift]


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
    minimum: Count
    awaits_draw: bool = Field(description="The places are still to be drawn among those who sign up.")
    state: ShiftState
    cancelled_because: Shown | None = Field(description="Why it does not happen, or did not.")
    not_run: NotRun | None = Field(description="The same as a code, where it did not happen.")
    closed_at: AwareDatetime | None = Field(description="Since when nobody new may sign up.")
    rescheduled_at: AwareDatetime | None = Field(description="Whoever signed up before may withdraw freely.")


class Listing(BaseModel):
    """A published activity with its shifts."""

    id: UUID
    partner_id: UUID
    reference: Shown
    title: Shown
    timezone: Shown
    published_at: AwareDatetime
    proposal_id: UUID | None
    mode: Literal["on_site", "online", "craft"] | None
    city: Shown | None
    place: Shown | None
    description: Shown | None
    criteria: Shown | None = Field(description="By what a piece is accepted, of work that is handed in.")
    minutes_per_piece: Count | None = Field(description="What one accepted piece counts.")
    state: ListingState
    ended_at: AwareDatetime | None
    cancelled_because: Shown | None
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
        "proposal_id": Title(zh="方案编号", en="Proposal id"),
        "mode": Title(zh="方式", en="Mode"),
        "city": Title(zh="城市", en="City"),
        "place": Title(zh="地点", en="Place"),
        "description": Title(zh="介绍", en="Description"),
        "criteria": Title(zh="验收标准", en="Criteria"),
        "minutes_per_piece": Title(zh="每件分钟数", en="Minutes a piece"),
        "state": Title(zh="状态", en="State"),
        "ended_at": Title(zh="结束时间", en="Ended at"),
        "cancelled_because": Title(zh="取消原因", en="Cancelled because"),
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


SHIFTS = Listed(
    queries.SHIFTS,
    ShiftOfListing,
    file="shifts",
    title=Title(zh="场次", en="Shifts"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "listing_reference": Title(zh="活动代码", en="Listing"),
        "listing_title": Title(zh="活动名称", en="Title"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "number": Title(zh="场次", en="Shift"),
        "starts_at": Title(zh="开始时间", en="Starts at"),
        "ends_at": Title(zh="结束时间", en="Ends at"),
        "timezone": Title(zh="时区", en="Time zone"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "capacity": Title(zh="名额", en="Places"),
        "taken": Title(zh="已占名额", en="Taken"),
        "minimum": Title(zh="最少人数", en="Minimum"),
        "awaits_draw": Title(zh="待抽签", en="Awaits draw"),
        "state": Title(zh="状态", en="State"),
        "cancelled_because": Title(zh="取消原因", en="Cancelled because"),
        "not_run": Title(zh="未举行原因", en="Not run because"),
        "closed_at": Title(zh="停止报名时间", en="Closed at"),
        "rescheduled_at": Title(zh="改期时间", en="Rescheduled at"),
    },
)


def of_listing(shift: tables.Shift, listing: tables.Listing) -> ShiftOfListing:
    """Show a shift with what it is an occasion of."""
    return ShiftOfListing(
        **Shift.model_validate(shift).model_dump(),
        listing_id=listing.id,
        listing_reference=listing.reference,
        listing_title=listing.title,
        partner_id=listing.partner_id,
        timezone=listing.timezone,
    )


def shown_shifts(tx: Session, shifts: Sequence[tables.Shift]) -> list[ShiftOfListing]:
    """Show shifts with what they are occasions of."""
    listings = queries.listings_by_id(tx, {shift.listing_id for shift in shifts})
    return [of_listing(shift, listings[shift.listing_id]) for shift in shifts]


def shown_listings(tx: Session, listings: Sequence[tables.Listing]) -> list[Listing]:
    """Show activities with their shifts."""
    shifts: dict[UUID, list[Shift]] = {listing.id: [] for listing in listings}
    for shift in queries.list_shifts(tx, list(shifts)):
        shifts[shift.listing_id].append(Shift.model_validate(shift))
    return [
        Listing(
            id=listing.id,
            partner_id=listing.partner_id,
            reference=listing.reference,
            title=listing.title,
            timezone=listing.timezone,
            published_at=listing.published_at,
            state=ListingState(listing.state),
            ended_at=listing.ended_at,
            cancelled_because=listing.cancelled_because,
            proposal_id=listing.proposal_id,
            mode=listing.mode,
            city=listing.city,
            place=listing.place,
            description=listing.description,
            criteria=listing.criteria,
            minutes_per_piece=listing.minutes_per_piece,
            shifts=shifts[listing.id],
        )
        for listing in listings
    ]
