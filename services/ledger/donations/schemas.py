"""Donations and the waterfall as HTTP callers ask for them and see them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from services.ledger.journal.schemas import Amount, Entry
from shared.web.fields import Count, Day, Fen, Items, Limit, Parts, Shown


class WaterfallFilter(BaseModel):
    """What to add up; `service_until` is excluded."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID | None = None
    listing_id: UUID | None = None
    service_from: Day | None = None
    service_until: Day | None = None


class DonationFilter(WaterfallFilter):
    """Which donations to list, and which page of them."""

    shift_id: UUID | None = None
    volunteer_id: UUID | None = None
    attendance_id: UUID | None = None
    after: UUID | None = None
    limit: Limit = 50


class Donation(BaseModel):
    """What one version of an attendance is worth; matchable less the three drops are the credited minutes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: Count
    state: Literal["settled", "revised", "voided"]
    attendance_id: UUID
    partner_id: UUID
    listing_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    started_at: datetime
    service_on: date
    evidence: Shown
    recorded_minutes: Count
    matchable_minutes: Count
    below_minimum_minutes: Count
    above_ceiling_minutes: Count
    step_rounding_minutes: Count
    credited_minutes: Count
    amount: Amount = Field(validation_alias="fen")
    policy_version_id: UUID | None
    entry_id: UUID | None
    decided_at: datetime
    superseded_at: datetime | None


class DonationPage(BaseModel):
    """Donations in the order of their ids; `next` is the `after` of the following page."""

    model_config = ConfigDict(from_attributes=True)

    items: Items[Donation]
    next: UUID | None


class Line(BaseModel):
    """One step of an explanation; drops are negative minutes, the amount stands on the last line."""

    model_config = ConfigDict(from_attributes=True)

    code: Shown
    zh: Shown
    en: Shown
    minutes: Fen
    amount: Amount | None = Field(validation_alias="fen")


class DonationStory(BaseModel):
    """A donation as it stands, why, which versions led to it (oldest first), and what was posted."""

    model_config = ConfigDict(from_attributes=True)

    donation: Donation
    explanation: Items[Line]
    versions: Parts[Donation]
    entries: Parts[Entry]


class Dropped(BaseModel):
    """Minutes lost after a stage of the waterfall, and why."""

    model_config = ConfigDict(from_attributes=True)

    code: Shown
    after: Literal["recorded", "matchable"]
    zh: Shown
    en: Shown
    minutes: Fen


class Waterfall(BaseModel):
    """recorded → matchable → credited → accrued; recorded less all drops are the credited minutes, to the minute."""

    model_config = ConfigDict(from_attributes=True)

    participations: Count = Field(validation_alias=AliasPath("sums", "participations"))
    partners: Count = Field(validation_alias=AliasPath("sums", "partners"))
    recorded_minutes: Count = Field(validation_alias=AliasPath("sums", "recorded_minutes"))
    matchable_minutes: Count = Field(validation_alias=AliasPath("sums", "matchable_minutes"))
    credited_minutes: Count = Field(validation_alias=AliasPath("sums", "credited_minutes"))
    accrued: Amount = Field(validation_alias=AliasPath("sums", "accrued_fen"))
    drops: Items[Dropped]
