"""Policy versions as HTTP callers send and see them."""

from datetime import datetime
from uuid import UUID

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from services.ledger.policies import queries
from shared.errors import Title
from shared.web.fields import Count, Instant, Money, Whole
from shared.web.lists import Listed

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

    @property
    def rate(self) -> Money:
        """What an hour is worth."""
        return Money(fen=self.fen_per_hour)


POLICY_VERSIONS = Listed(
    queries.POLICY_VERSIONS,
    PolicyVersion,
    file="policy-versions",
    title=Title(zh="配捐政策版本", en="Policy versions"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "effective_from": Title(zh="生效时间", en="Effective from"),
        "effective_until": Title(zh="失效时间", en="Effective until"),
        "rate": Title(zh="每小时金额（元）", en="CNY per hour"),
        "step_minutes": Title(zh="计算步长（分钟）", en="Step (minutes)"),
        "min_minutes": Title(zh="最少分钟", en="Least minutes"),
        "max_minutes": Title(zh="最多分钟", en="Most minutes"),
        "maker_id": Title(zh="提出人编号", en="Maker id"),
        "proposed_at": Title(zh="提出时间", en="Proposed at"),
        "approver_id": Title(zh="批准人编号", en="Approver id"),
        "approved_at": Title(zh="批准时间", en="Approved at"),
    },
)
