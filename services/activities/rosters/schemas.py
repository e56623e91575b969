"""What HTTP callers send and see of rosters, walk-ins and guests."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.rosters import queries
from services.activities.rosters.actions import Outcome
from services.activities.rosters.rules import MOST_AT_ONCE, MOST_GUESTS, State, Way
from shared.errors import Refusal, Title
from shared.events.activities_incidents import IncidentKind
from shared.web.fields import Count, Instant, Items, Shown, Text, Whole
from shared.web.lists import Listed


class Ticks(BaseModel):
    """Whom the partner sees come or leave now."""

    model_config = ConfigDict(extra="forbid")

    way: Way
    volunteer_ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Ticked(BaseModel):
    """How one person stands now, or the code of why that is not as it was said."""

    volunteer_id: UUID
    state: Literal["checked_in", "settled", "voided"] | None
    refused: Shown | None


class AllTicked(BaseModel):
    """How each person stands."""

    items: Items[Ticked]


class NewWalkIn(BaseModel):
    """An employee who was there without a place, as they say who they are."""

    model_config = ConfigDict(extra="forbid")

    employee_number: Text = Field(min_length=1, max_length=40)
    checked_in_at: Instant
    checked_out_at: Instant


class WalkIn(BaseModel):
    """Somebody who was there without a place, as the partner says."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    shift_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    checked_in_at: AwareDatetime
    checked_out_at: AwareDatetime
    state: State
    recorded_at: AwareDatetime
    answered_at: AwareDatetime | None


WALK_INS = Listed(
    queries.WALK_INS,
    WalkIn,
    file="walk-ins",
    title=Title(zh="现场到场登记", en="Walk-ins"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "shift_id": Title(zh="场次编号", en="Shift id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "checked_in_at": Title(zh="到场时间", en="From"),
        "checked_out_at": Title(zh="离场时间", en="Until"),
        "state": Title(zh="状态", en="State"),
        "recorded_at": Title(zh="登记时间", en="Recorded at"),
        "answered_at": Title(zh="答复时间", en="Answered at"),
    },
)


class OwnWalkIn(BaseModel):
    """That the person was on a shift without a place, as its partner recorded."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="登记编号 / The walk-in's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    checked_in_at: AwareDatetime = Field(description="到场时间 / From when")
    checked_out_at: AwareDatetime = Field(description="离场时间 / Until when")
    state: Shown = Field(description="状态 / State")
    recorded_at: AwareDatetime = Field(description="登记时间 / When it was recorded")
    answered_at: AwareDatetime | None = Field(description="答复时间 / When the person answered")


class NewGuests(BaseModel):
    """How many people were there who are no volunteers."""

    model_config = ConfigDict(extra="forbid")

    guests: Whole = Field(ge=0, le=MOST_GUESTS)


class Guests(BaseModel):
    """The same, as it was counted last."""

    model_config = ConfigDict(from_attributes=True)

    shift_id: UUID
    guests: Count
    counted_at: AwareDatetime


class NewReport(BaseModel):
    """What happened on a shift, or what is wrong with it."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[
        IncidentKind.COMPLAINT, IncidentKind.SAFETY, IncidentKind.ACCIDENT, IncidentKind.DATA, IncidentKind.OTHER
    ]
    details: Text = Field(min_length=1, max_length=2_000, description="Without anybody's name.")


def ticked(outcomes: dict[UUID, Outcome]) -> AllTicked:
    """Show how each person stands."""
    return AllTicked(items=[_ticked(who, outcome) for who, outcome in outcomes.items()])


def _ticked(who: UUID, outcome: Outcome) -> Ticked:
    if isinstance(outcome, Refusal):
        return Ticked(volunteer_id=who, state=None, refused=outcome.code)
    return Ticked.model_validate({"volunteer_id": who, "state": outcome, "refused": None})
