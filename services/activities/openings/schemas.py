"""What HTTP callers see of the shifts that somebody can still sign up for."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from services.activities.checklists.rules import Mode
from services.activities.listings.queries import listings_by_id
from services.activities.listings.tables import Shift
from services.activities.openings import queries
from services.activities.partners.queries import find_names
from services.activities.places.queries import Counts, count_places
from shared.errors import Title
from shared.web.fields import Count, Items, Shown
from shared.web.lists import Listed


class Opening(BaseModel):
    """A shift that is still to come, with what somebody decides by; `id` is the shift's."""

    id: UUID
    listing_id: UUID
    listing_reference: Shown
    title: Shown
    partner_id: UUID
    partner_name: Shown
    mode: Mode | None
    city: Shown | None
    place: Shown | None
    skills: Items[Shown] = Field(description="Codes of the catalogue, or the partner's own words.")
    timezone: Shown
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    service_on: date
    capacity: Count
    minimum: Count
    taken: Count
    free: Count = Field(description="Places that nobody has, and that are kept for nobody.")
    waitlisted: Count = Field(description="Who stands in the line.")
    awaits_draw: bool = Field(description="The places are still to be drawn among those who sign up.")

    @property
    def skill_codes(self) -> str:
        """Write all skills in one cell."""
        return ", ".join(self.skills)


OPENINGS = Listed(
    queries.OPENINGS,
    Opening,
    file="openings",
    title=Title(zh="可报名场次", en="Openings"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "listing_reference": Title(zh="活动代码", en="Listing"),
        "title": Title(zh="活动名称", en="Title"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "partner_name": Title(zh="机构名称", en="Partner"),
        "mode": Title(zh="方式", en="Mode"),
        "city": Title(zh="城市", en="City"),
        "place": Title(zh="地点", en="Place"),
        "skill_codes": Title(zh="所需技能", en="Skills"),
        "timezone": Title(zh="时区", en="Time zone"),
        "starts_at": Title(zh="开始时间", en="Starts at"),
        "ends_at": Title(zh="结束时间", en="Ends at"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "capacity": Title(zh="名额", en="Places"),
        "minimum": Title(zh="最少人数", en="Minimum"),
        "taken": Title(zh="已占名额", en="Taken"),
        "free": Title(zh="剩余名额", en="Free"),
        "waitlisted": Title(zh="候补人数", en="In the line"),
        "awaits_draw": Title(zh="待抽签", en="Awaits draw"),
    },
)


def shown_openings(tx: Session, shifts: Sequence[Shift]) -> list[Opening]:
    """Show shifts with what somebody decides by."""
    listings = listings_by_id(tx, {shift.listing_id for shift in shifts})
    names = find_names(tx, {shift.partner_id for shift in shifts})
    counts = count_places(tx, [shift.id for shift in shifts])
    nobody = Counts(0, 0, 0)
    return [
        Opening(
            id=shift.id,
            listing_id=listing.id,
            listing_reference=listing.reference,
            title=listing.title,
            partner_id=shift.partner_id,
            partner_name=names[shift.partner_id],
            mode=None if listing.mode is None else Mode(listing.mode),
            city=listing.city,
            place=listing.place,
            skills=listing.skills,
            timezone=listing.timezone,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            service_on=shift.service_on,
            capacity=shift.capacity,
            minimum=shift.minimum,
            taken=shift.taken,
            free=max(shift.capacity - shift.taken, 0),
            waitlisted=counts.get(shift.id, nobody).waitlisted,
            awaits_draw=shift.awaits_draw,
        )
        for shift, listing in ((shift, listings[shift.listing_id]) for shift in shifts)
    ]
