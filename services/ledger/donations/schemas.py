"""Donations and the waterfall as HTTP callers ask for them and see them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from services.ledger.donations import queries
from services.ledger.journal.schemas import Amount, Entry
from shared.errors import Title
from shared.web.lists import Listed


class WaterfallFilter(BaseModel):
    """What to add up; `service_until` is excluded."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID | None = None
    listing_id: UUID | None = None
    service_from: date | None = None
    service_until: date | None = None


class Donation(BaseModel):
    """What one version of an attendance is worth; matchable less the three drops are the credited minutes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    state: Literal["settled", "revised", "voided"]
    attendance_id: UUID
    partner_id: UUID
    listing_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    started_at: datetime
    service_on: date
    evidence: str
    recorded_minutes: int
    matchable_minutes: int
    below_minimum_minutes: int
    above_ceiling_minutes: int
    step_rounding_minutes: int
    credited_minutes: int
    amount: Amount = Field(validation_alias="fen")
    policy_version_id: UUID | None
    entry_id: UUID | None
    decided_at: datetime
    superseded_at: datetime | None


DONATIONS = Listed(
    queries.DONATIONS,
    Donation,
    file="donations",
    title=Title(zh="配捐明细", en="Donations"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "version": Title(zh="版本", en="Version"),
        "state": Title(zh="状态", en="State"),
        "attendance_id": Title(zh="签到记录编号", en="Attendance id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "shift_id": Title(zh="班次编号", en="Shift id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "started_at": Title(zh="服务开始", en="Service started at"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "evidence": Title(zh="证明方式", en="Evidence"),
        "recorded_minutes": Title(zh="记录分钟", en="Recorded minutes"),
        "matchable_minutes": Title(zh="可配捐分钟", en="Matchable minutes"),
        "below_minimum_minutes": Title(zh="不足下限分钟", en="Below the minimum (minutes)"),
        "above_ceiling_minutes": Title(zh="超出上限分钟", en="Above the ceiling (minutes)"),
        "step_rounding_minutes": Title(zh="步长舍去分钟", en="Rounded down (minutes)"),
        "credited_minutes": Title(zh="计入分钟", en="Credited minutes"),
        "amount": Title(zh="金额（元）", en="Amount (CNY)"),
        "policy_version_id": Title(zh="政策版本编号", en="Policy version id"),
        "entry_id": Title(zh="凭证编号", en="Entry id"),
        "decided_at": Title(zh="认定时间", en="Decided at"),
    },
)


class Line(BaseModel):
    """One step of an explanation; drops are negative minutes, the amount stands on the last line."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    zh: str
    en: str
    minutes: int
    amount: Amount | None = Field(validation_alias="fen")


class DonationStory(BaseModel):
    """A donation as it stands, why, which versions led to it (oldest first), and what was posted."""

    model_config = ConfigDict(from_attributes=True)

    donation: Donation
    explanation: list[Line]
    versions: list[Donation]
    entries: list[Entry]


class Dropped(BaseModel):
    """Minutes lost after a stage of the waterfall, and why."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    after: Literal["recorded", "matchable"]
    zh: str
    en: str
    minutes: int


class Waterfall(BaseModel):
    """recorded → matchable → credited → accrued; recorded less all drops are the credited minutes, to the minute."""

    model_config = ConfigDict(from_attributes=True)

    participations: int = Field(validation_alias=AliasPath("sums", "participations"))
    partners: int = Field(validation_alias=AliasPath("sums", "partners"))
    recorded_minutes: int = Field(validation_alias=AliasPath("sums", "recorded_minutes"))
    matchable_minutes: int = Field(validation_alias=AliasPath("sums", "matchable_minutes"))
    credited_minutes: int = Field(validation_alias=AliasPath("sums", "credited_minutes"))
    accrued: Amount = Field(validation_alias=AliasPath("sums", "accrued_fen"))
    drops: list[Dropped]
