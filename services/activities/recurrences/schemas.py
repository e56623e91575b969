"""What HTTP callers send of shifts that may repeat."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.activities.recurrences import rules
from shared.web.fields import WHOLE, Day, Instant, Whole

MOST_PEOPLE = 10_000
MOST_DATES = 200


class Repetition(BaseModel):
    """How a shift is held again, at the same local time: on weekdays, every so many weeks, `until` or `count`."""

    model_config = ConfigDict(extra="forbid")

    weekdays: list[Annotated[int, Field(ge=1, le=7), WHOLE]] = Field(
        default=[],
        max_length=7,
        description="1 is Monday. The first shift's is among them; none: it alone.",
    )
    every_weeks: Whole = Field(default=1, ge=1, le=rules.MOST_WEEKS, description="2: every second week.")
    until: Day | None = Field(default=None, description="Not on this local date any more.")
    count: Annotated[int, Field(ge=1, le=MOST_DATES), WHOLE] | None = Field(
        default=None, description="So many, with the first and with those that are left out."
    )
    except_on: list[Day] = Field(default=[], max_length=MOST_DATES, description="Not on these local dates.")

    def told(self) -> rules.Repetition:
        """Return it as the rules have it."""
        return rules.Repetition(
            frozenset(self.weekdays), self.every_weeks, self.until, self.count, frozenset(self.except_on)
        )


class NewShift(BaseModel):
    """A shift that is planned, whole minutes, half-open; one that repeats is written out as plain shifts at once."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Instant
    ends_at: Instant
    capacity: Whole = Field(ge=1, le=MOST_PEOPLE)
    minimum: Whole = Field(default=1, ge=1, le=MOST_PEOPLE, description="With fewer people it should not happen.")
    repeats: Repetition | None = None

    def told(self) -> rules.Planned:
        """Return it as the rules have it."""
        repeats = None if self.repeats is None else self.repeats.told()
        return rules.Planned(self.starts_at, self.ends_at, self.capacity, self.minimum, repeats)
