"""What HTTP callers send and see of merges."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.merges import queries
from services.activities.merges.rules import Outcome
from shared.errors import Title
from shared.web.fields import Reason, Shown
from shared.web.lists import Listed


class NewMerge(BaseModel):
    """Which two records are one person's, and how that is known."""

    model_config = ConfigDict(extra="forbid")

    kept_id: UUID = Field(description="The record that stays.")
    merged_id: UUID = Field(description="The record that goes into it, and can do nothing any more.")
    reason: Reason = Field(description="How it is known, and where that is kept; without the person's name.")


class Declining(BaseModel):
    """Why two records stay two."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Merge(BaseModel):
    """A proposal to merge two records, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kept_id: UUID
    merged_id: UUID
    reason: Shown
    maker_id: UUID
    proposed_at: AwareDatetime
    outcome: Outcome | None
    decider_id: UUID | None
    decided_at: AwareDatetime | None
    declined_because: Shown | None


MERGES = Listed(
    queries.MERGES,
    Merge,
    file="merges",
    title=Title(zh="记录合并", en="Merges"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "kept_id": Title(zh="保留的志愿者编号", en="Kept volunteer id"),
        "merged_id": Title(zh="并入的志愿者编号", en="Merged volunteer id"),
        "reason": Title(zh="理由", en="Reason"),
        "maker_id": Title(zh="申请人编号", en="Proposed by"),
        "proposed_at": Title(zh="申请时间", en="Proposed at"),
        "outcome": Title(zh="结论", en="Outcome"),
        "decider_id": Title(zh="审批人编号", en="Decided by"),
        "decided_at": Title(zh="审批时间", en="Decided at"),
        "declined_because": Title(zh="不合并的理由", en="Declined because"),
    },
)
