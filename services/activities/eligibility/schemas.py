"""What HTTP callers send and see of eligibility."""

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.eligibility.rules import MOST_INTERVALS
from services.activities.eligibility.rules import Interval as Dates
from services.activities.eligibility.tables import Eligibility as Row
from shared.web.fields import Day, Items, Reason, Shown


class NewInterval(BaseModel):
    """Dates of employment, half-open: `until` is the first date on which the person is not employed any more."""

    model_config = ConfigDict(extra="forbid")

    since: Day | None = Field(default=None, description="The first date; null for always before.")
    until: Day | None = Field(default=None, description="The first date after it; null for no end.")


class Employment(BaseModel):
    """All that is to be recorded of when a person is employed, and why."""

    model_config = ConfigDict(extra="forbid")

    intervals: list[NewInterval] = Field(max_length=MOST_INTERVALS, description="None: eligible on every date.")
    reason: Reason = Field(description="What this rests on, and where that is kept; without the person's name.")


class Interval(BaseModel):
    """Dates on which service may be matched, half-open."""

    model_config = ConfigDict(from_attributes=True)

    since: date | None = Field(description="首日，空为不限 / The first date; null for always before")
    until: date | None = Field(description="截止（不含），空为不限 / The first date after it; null for no end")


class Eligibility(BaseModel):
    """On which dates a person's service may be matched: on every one if no interval is recorded."""

    volunteer_id: UUID
    intervals: Items[Interval]
    reason: Shown | None
    recorded_by: UUID | None
    recorded_at: AwareDatetime | None


def shown(row: Row, intervals: list[Dates]) -> Eligibility:
    """Show what is recorded of a person."""
    return Eligibility(
        volunteer_id=row.volunteer_id,
        intervals=[Interval.model_validate(each) for each in intervals],
        reason=row.reason,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )
