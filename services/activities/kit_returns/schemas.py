"""What HTTP callers send and see of kits that are due, and of what lost ones have cost."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.activities.kit_returns import queries, tables
from services.activities.kit_returns.actions import Cost
from services.activities.kit_returns.rules import State
from services.activities.kits.rules import MOST_PIECES
from shared.errors import Title
from shared.money import CURRENCY
from shared.web.fields import GREATEST, WHOLE, Count, Money, Reason, Shown, Text
from shared.web.lists import Listed

MOST_WORDS = 1_000
Amount = Annotated[int, Field(ge=1, le=GREATEST, description="In fen."), WHOLE]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Return(_Sent):
    """What came back."""

    pieces: Annotated[int, Field(ge=0, le=MOST_PIECES), WHOLE] = Field(description="Whole pieces of work; 0 for none.")
    note: Text | None = Field(default=None, min_length=1, max_length=MOST_WORDS, description="Without anybody's name.")


class Grounds(_Sent):
    """Why."""

    reason: Reason = Field(description="Without anybody's name.")


class NewCost(Grounds):
    """What a lost kit has cost its partner."""

    amount_fen: Amount
    evidence_note: Text = Field(min_length=1, max_length=MOST_WORDS, description="What proves it, and where that is.")

    def told(self) -> Cost:
        """Return it as the actions take it."""
        return Cost(self.amount_fen, self.reason, self.evidence_note)


class Approval(Grounds):
    """Why it is owed, and how much of it."""

    approved_fen: Amount | None = Field(default=None, description="All that is claimed, if nothing is said.")


class KitCost(BaseModel):
    """What a partner claims for one kit, and what became of that."""

    id: UUID
    kit_id: UUID
    partner_id: UUID
    state: State
    ceiling: Money = Field(description="What was agreed, at most.")
    amount: Money
    approved: Money | None
    reason: Shown
    evidence_note: Shown
    claimed_by: UUID
    claimed_at: AwareDatetime
    decided_by: UUID | None
    decided_at: AwareDatetime | None
    decision_reason: Shown | None
    cancelled_at: AwareDatetime | None = Field(description="When the kit was found.")


KIT_COSTS = Listed(
    queries.KIT_COSTS,
    KitCost,
    file="kit-costs",
    title=Title(zh="物料包费用申报", en="Kit costs"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "kit_id": Title(zh="物料包编号", en="Kit id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "state": Title(zh="状态", en="State"),
        "ceiling": Title(zh="费用上限", en="Ceiling"),
        "amount": Title(zh="申报金额", en="Amount"),
        "approved": Title(zh="批准金额", en="Approved"),
        "reason": Title(zh="申报理由", en="Reason"),
        "evidence_note": Title(zh="证据说明", en="Evidence"),
        "claimed_by": Title(zh="申报人编号", en="Claimed by"),
        "claimed_at": Title(zh="申报时间", en="Claimed at"),
        "decided_by": Title(zh="审批人编号", en="Decided by"),
        "decided_at": Title(zh="审批时间", en="Decided at"),
        "decision_reason": Title(zh="审批理由", en="Decided because"),
        "cancelled_at": Title(zh="撤销时间", en="Cancelled at"),
    },
)


class OwnKitCost(BaseModel):
    """What was claimed for a kit that the person had; it costs the person nothing."""

    model_config = ConfigDict(from_attributes=True)

    kit_id: UUID = Field(description="物料包编号 / The kit's id")
    state: Shown = Field(description="状态 / State")
    amount_fen: Count = Field(description="申报金额（分） / What the partner claims, in fen")
    approved_fen: Count | None = Field(description="批准金额（分） / What was approved, in fen")
    reason: Shown = Field(description="申报理由 / What the partner says")
    evidence_note: Shown = Field(description="证据说明 / Its evidence")
    decision_reason: Shown | None = Field(description="审批理由 / Why it was decided so")
    claimed_at: AwareDatetime = Field(description="申报时间 / When it was claimed")


def shown(cost: tables.KitCost) -> KitCost:
    """Show a claim."""
    amounts = {"ceiling": cost.ceiling_fen, "amount": cost.amount_fen, "approved": cost.approved_fen}
    money = {name: None if fen is None else Money(currency=CURRENCY, fen=fen) for name, fen in amounts.items()}
    rest = {name: getattr(cost, name) for name in KitCost.model_fields if name not in money}
    return KitCost.model_validate(rest | money)


def shown_all(_tx: Session, costs: Sequence[tables.KitCost]) -> list[KitCost]:
    """Show claims as the list has them."""
    return [shown(cost) for cost in costs]
