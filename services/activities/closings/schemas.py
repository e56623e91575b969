"""What HTTP callers send and see of people who were missed."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.activities.closings.rules import MOST_JUDGED
from shared.web.fields import Items, Reason


class Judgement(BaseModel):
    """What is said of people who were missed on a shift."""

    model_config = ConfigDict(extra="forbid")

    volunteer_ids: list[UUID] = Field(min_length=1, max_length=MOST_JUDGED)
    reason: Reason = Field(description="Why; without anybody's name.")


class Judged(BaseModel):
    """Those of whom that is new; of all others it was said before, or they were not missed."""

    volunteer_ids: Items[UUID]
