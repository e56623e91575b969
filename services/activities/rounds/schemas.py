"""What HTTP callers send and see of rounds and their calendars."""

from datetime import date, time
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.rounds import queries
from services.activities.rounds.actions import CalendarFacts
from services.activities.rounds.rules import Moment as MomentOfWeek
from services.activities.rounds.rules import State, Times
from services.activities.rounds.tables import RoundCalendar as CalendarRow
from shared.errors import Title
from shared.web.fields import Count, Instant, Reason, Shown, Text, Whole
from shared.web.lists import Listed

MOST_TARGET = 100_000
NEEDED = "How many activities the week needs."
Clock = Annotated[
    str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, description="A local time.", examples=["09:00"])
]


class Moment(BaseModel):
    """A weekday, 1 for Monday to 7 for Sunday, and a time of that day."""

    model_config = ConfigDict(extra="forbid")

    weekday: Whole = Field(ge=1, le=7)
    time: Clock

    def read(self) -> MomentOfWeek:
        """Return it as rules read it."""
        return MomentOfWeek(self.weekday, time.fromisoformat(self.time))


class RoundCalendar(BaseModel):
    """When a programme's rounds are, each week: every moment is the first of its kind after the one before."""

    model_config = ConfigDict(extra="forbid")

    timezone: Text = Field(max_length=60)
    opens: Moment
    closes: Moment
    review: Moment
    publish: Moment
    weeks_ahead: Whole = Field(ge=1, le=12)
    target: Whole = Field(ge=0, le=MOST_TARGET, description=NEEDED)

    def facts(self) -> CalendarFacts:
        """Return it as actions take it."""
        return CalendarFacts(
            self.timezone, self.opens.read(), self.closes.read(), self.review.read(), self.publish.read(),
            self.weeks_ahead, self.target,
        )  # fmt: skip

    @classmethod
    def of(cls, row: CalendarRow) -> "RoundCalendar":
        """Show a programme's calendar."""
        return cls(
            timezone=row.timezone,
            opens=Moment(weekday=row.opens_weekday, time=f"{row.opens_time:%H:%M}"),
            closes=Moment(weekday=row.closes_weekday, time=f"{row.closes_time:%H:%M}"),
            review=Moment(weekday=row.review_weekday, time=f"{row.review_time:%H:%M}"),
            publish=Moment(weekday=row.publish_weekday, time=f"{row.publish_time:%H:%M}"),
            weeks_ahead=row.weeks_ahead,
            target=row.target,
        )


class _Times(BaseModel):
    opens_at: Instant
    closes_at: Instant
    review_by: Instant
    publish_at: Instant

    def times(self) -> Times:
        """Return them as rules read them."""
        return Times(self.opens_at, self.closes_at, self.review_by, self.publish_at)


class NewRound(_Times):
    """A round beside those of the calendar; open for proposals from `opens_at` until before `closes_at`."""

    model_config = ConfigDict(extra="forbid")

    target: Whole = Field(ge=0, le=MOST_TARGET, description=NEEDED)


class Move(_Times):
    """Other times for a round that has not opened, and why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Extension(BaseModel):
    """A later end of an open round, and why; review and publication are put off by as much."""

    model_config = ConfigDict(extra="forbid")

    closes_at: Instant
    reason: Reason


class RoundCancellation(BaseModel):
    """Why a round is called off."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Round(BaseModel):
    """A week's call for proposals."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: Count
    week_on: date | None = Field(description="The Monday of the week for which the calendar made it.")
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    review_by: AwareDatetime
    publish_at: AwareDatetime
    target: Count
    state: State
    moved_because: Shown | None
    cancelled_because: Shown | None


ROUNDS = Listed(
    queries.ROUNDS,
    Round,
    file="rounds",
    title=Title(zh="每周招募", en="Rounds"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "number": Title(zh="轮次", en="Number"),
        "week_on": Title(zh="所属周（周一）", en="Week (Monday)"),
        "opens_at": Title(zh="开放时间", en="Opens at"),
        "closes_at": Title(zh="截止时间", en="Closes at"),
        "review_by": Title(zh="审核截止", en="Review by"),
        "publish_at": Title(zh="上架时间", en="Publish at"),
        "target": Title(zh="目标活动数", en="Target"),
        "state": Title(zh="状态", en="State"),
        "moved_because": Title(zh="调整原因", en="Moved because"),
        "cancelled_because": Title(zh="取消原因", en="Cancelled because"),
    },
)
