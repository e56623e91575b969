"""What HTTP callers send and see of places."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.listings.schemas import ShiftOfListing, of_listing
from services.activities.places import rules
from services.activities.places.queries import Counts, OwnPlace
from services.activities.sign_ups.rules import State
from shared.web.fields import Count, Items, Parts, Reason, Shown


class SignUp(BaseModel):
    """How one person stands with one shift."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    shift_id: UUID
    volunteer_id: UUID
    signed_up_at: AwareDatetime = Field(description="The order of the line: who signed up first is first.")
    state: State
    offer_expires_at: AwareDatetime | None = Field(description="Until when the place is kept; null without an offer.")
    ended_at: AwareDatetime | None
    ended_because: Shown | None


class Withdrawal(BaseModel):
    """Why somebody gives a place back."""

    model_config = ConfigDict(extra="forbid")

    because: Reason = Field(description="Kept with the sign-up until the person is erased, and in no log.")


class Excuse(BaseModel):
    """Why somebody is excused, without details of their health."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class When(StrEnum):
    """Which of one's own sign-ups are shown."""

    UPCOMING = "upcoming"
    PAST = "past"


class OwnSignUp(SignUp):
    """One's own sign-up, with what it is for."""

    position: Count | None = Field(description="The place in the line, from 1; null outside of it.")
    shift: ShiftOfListing


class OwnSignUps(BaseModel):
    """One's own sign-ups: upcoming ones soonest first, past ones latest first."""

    items: Items[OwnSignUp]


class ShiftOnBoard(ShiftOfListing):
    """A shift with how many people stand how with it."""

    confirmed: Count = Field(description="Who has a place, or had it.")
    offered: Count = Field(description="For whom a place is kept.")
    waitlisted: Count = Field(description="Who stands in the line.")


class Board(BaseModel):
    """The shifts of some days, soonest first."""

    items: Parts[ShiftOnBoard]


class Fill(BaseModel):
    """How full shifts are. History that was brought in may have had more people than places."""

    model_config = ConfigDict(from_attributes=True)

    shifts: Count = Field(description="Those that were called off left out.")
    capacity: Count
    taken: Count = Field(description="Places that are had, or kept for somebody.")
    fill_permille: Count | None = Field(description="Taken of the capacity, in thousandths; null without places.")


class PartnerFill(Fill):
    """How full one partner's are."""

    partner_id: UUID


class Fills(BaseModel):
    """How full the shifts on the service dates [since, until) are, as a whole and by partner."""

    since: date
    until: date
    whole: Fill
    partners: Parts[PartnerFill]


def fills(found: Mapping[UUID, rules.Fill], *, since: date, until: date) -> Fills:
    """Show how full shifts are, and add it up."""
    partners = [PartnerFill(partner_id=i, **Fill.model_validate(each).model_dump()) for i, each in found.items()]
    whole = Fill.model_validate(sum(found.values(), rules.Fill()))
    return Fills(since=since, until=until, whole=whole, partners=partners)


def own(place: OwnPlace) -> OwnSignUp:
    """Show one's own sign-up."""
    shift = of_listing(place.shift, place.listing)
    return OwnSignUp(**SignUp.model_validate(place.sign_up).model_dump(), position=place.position, shift=shift)


def on_board(shift: ShiftOfListing, counts: Mapping[UUID, Counts]) -> ShiftOnBoard:
    """Show a shift with its counts."""
    found = counts.get(shift.id, Counts(0, 0, 0))
    return ShiftOnBoard(**shift.model_dump(), **found._asdict())
