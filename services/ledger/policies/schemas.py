"""Policy versions as HTTP callers send and see them."""

from datetime import datetime
from uuid import UUID

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from shared.web.fields import Count, Instant, Items, Whole

MOST_FEN_PER_HOUR = 10_000_000  # CNY 100,000: a typing error, not a rate.


class ProposePolicyVersion(BaseModel):
    """What an hour is to be worth for service that starts within `[effective_from, effective_until)`."""

    model_config = ConfigDict(extra="forbid")

    effective_from: Instant
    effective_until: Instant | None = Field(default=None, examples=["2023-09-03T09:00:00Z"])
    fen_per_hour: Whole = Field(ge=1, le=MOST_FEN_PER_HOUR)
    step_minutes: Whole = Field(ge=1, le=1440)
    min_minutes: Whole = Field(ge=0, le=1440)
    max_minutes: Whole = Field(ge=0, le=1440)


class PolicyVersion(BaseModel):
    """A policy version; without `approver_id` it is a proposal and has no effect."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    effective_from: datetime = Field(validation_alias=AliasPath("effective", "lower"))
    effective_until: datetime | None = Field(validation_alias=AliasPath("effective", "upper"))
    fen_per_hour: Count
    step_minutes: Count
    min_minutes: Count
    max_minutes: Count
    maker_id: UUID
    proposed_at: datetime
    approver_id: UUID | None
    approved_at: datetime | None


class PolicyVersionPage(BaseModel):
    """Policy versions in the order of their ids; `next` is the `after` of the following page."""

    model_config = ConfigDict(from_attributes=True)

    items: Items[PolicyVersion]
    next: UUID | None
