"""What HTTP callers send when they decide about shifts and activities."""

from pydantic import BaseModel, ConfigDict, Field

from shared.events.activities_shifts import NotRun
from shared.web.fields import Instant, Text


class Cancellation(BaseModel):
    """Why something is called off."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=500)


class NoRun(Cancellation):
    """Why a shift did not happen."""

    code: NotRun


class NewTimes(BaseModel):
    """To when a shift is moved, whole minutes, half-open, and why."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Instant
    ends_at: Instant
    reason: Text = Field(min_length=1, max_length=500)
