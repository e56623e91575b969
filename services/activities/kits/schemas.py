"""What HTTP callers send and see of kits. An address is shown by its own routes, and by no list."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.kits import queries
from services.activities.kits.actions import Address, Outcome, Parcel
from services.activities.kits.rules import MOST_AT_ONCE, Cancelled, State
from shared.errors import Refusal, Title
from shared.web.fields import Count, Items, Money, Shown, Text
from shared.web.lists import Listed

MOST_WORDS = 1_000


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewKits(_Sent):
    """Whom kits are issued to."""

    volunteer_ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class NewAddress(_Sent):
    """Where one's kit is to be sent."""

    recipient: Text = Field(min_length=1, max_length=60)
    phone: Text = Field(min_length=5, max_length=30)
    postal_address: Text = Field(min_length=5, max_length=300)

    def told(self) -> Address:
        """Return it as the actions take it."""
        return Address(self.recipient, self.phone, self.postal_address)


class NewParcel(_Sent):
    """A kit that was handed to a carrier."""

    kit_id: UUID
    carrier: Text = Field(min_length=1, max_length=40)
    tracking_number: Text = Field(min_length=1, max_length=60)

    def told(self) -> Parcel:
        """Return it as the actions take it."""
        return Parcel(self.kit_id, self.carrier, self.tracking_number)


class NewParcels(_Sent):
    """What was handed to carriers for one shift."""

    items: list[NewParcel] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Evidence(_Sent):
    """How the partner knows that a kit has arrived."""

    evidence_note: Text = Field(min_length=1, max_length=MOST_WORDS, description="Without anybody's name.")


class Kit(BaseModel):
    """A kit for one place."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    state: State
    due_at: AwareDatetime = Field(description="Until then, excluded, it is due back; or cancelled, if it was not sent.")
    issued_at: AwareDatetime
    carrier: Shown | None
    tracking_number: Shown | None
    shipped_at: AwareDatetime | None
    received_at: AwareDatetime | None
    receipt_note: Shown | None
    overdue_at: AwareDatetime | None
    lose_at: AwareDatetime | None = Field(description="When an overdue kit is given up by the calendar.")
    lost_at: AwareDatetime | None
    lost_because: Shown | None = Field(description="Null where the calendar gave it up.")
    returned_at: AwareDatetime | None
    pieces: Count | None = Field(description="Whole pieces that came back.")
    return_note: Shown | None
    cancelled_at: AwareDatetime | None
    cancelled_because: Cancelled | None
    cleared_at: AwareDatetime | None = Field(description="Since then it keeps its person from no other kit.")
    cleared_because: Shown | None


KITS = Listed(
    queries.KITS,
    Kit,
    file="kits",
    title=Title(zh="物料包", en="Kits"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "sign_up_id": Title(zh="报名编号", en="Sign-up id"),
        "shift_id": Title(zh="场次编号", en="Shift id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "state": Title(zh="状态", en="State"),
        "due_at": Title(zh="应还时间", en="Due back at"),
        "issued_at": Title(zh="发放时间", en="Issued at"),
        "carrier": Title(zh="承运方", en="Carrier"),
        "tracking_number": Title(zh="运单号", en="Tracking number"),
        "shipped_at": Title(zh="寄出时间", en="Shipped at"),
        "received_at": Title(zh="签收时间", en="Received at"),
        "receipt_note": Title(zh="签收依据", en="Evidence of receipt"),
        "overdue_at": Title(zh="逾期时间", en="Overdue at"),
        "lose_at": Title(zh="视为遗失时间", en="Given up at"),
        "lost_at": Title(zh="遗失登记时间", en="Lost at"),
        "lost_because": Title(zh="遗失原因", en="Lost because"),
        "returned_at": Title(zh="归还时间", en="Returned at"),
        "pieces": Title(zh="归还件数", en="Pieces"),
        "return_note": Title(zh="归还说明", en="Note on return"),
        "cancelled_at": Title(zh="取消时间", en="Cancelled at"),
        "cancelled_because": Title(zh="取消原因", en="Cancelled because"),
        "cleared_at": Title(zh="解除限制时间", en="Cleared at"),
        "cleared_because": Title(zh="解除理由", en="Cleared because"),
    },
)


class KitTerms(BaseModel):
    """What was agreed of an activity's kits."""

    model_config = ConfigDict(from_attributes=True)

    listing_id: UUID
    contents: Shown
    ceiling: Money = Field(description="What one may cost at most, if it is lost.")
    due_days: Count = Field(description="Working days after the shift's end.")


class KitAddress(BaseModel):
    """Where a kit goes: for this parcel, and for nothing else."""

    model_config = ConfigDict(from_attributes=True)

    kit_id: UUID
    recipient: Shown
    phone: Shown
    postal_address: Shown


class KitAddresses(BaseModel):
    """Where the kits go that are to be sent for a shift; those without an address are not among them."""

    items: Items[KitAddress]


class KitOutcome(BaseModel):
    """The kit, or the code of why there is none, or why it was not sent; in the order in which they were asked for."""

    kit: Kit | None
    refused: Shown | None


class KitOutcomes(BaseModel):
    """What became of each, in the order in which they were sent."""

    items: Items[KitOutcome]


class OwnKit(BaseModel):
    """A kit that was for the person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="物料包编号 / The kit's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    title: Shown = Field(description="活动名称 / The activity's title")
    partner_id: UUID = Field(description="机构编号 / The partner's id")
    state: Shown = Field(description="状态 / State")
    issued_at: AwareDatetime = Field(description="发放时间 / When it was issued")
    due_at: AwareDatetime = Field(description="应还时间 / Until when it is due back")
    carrier: Shown | None = Field(description="承运方 / Carrier")
    tracking_number: Shown | None = Field(description="运单号 / Tracking number")
    shipped_at: AwareDatetime | None = Field(description="寄出时间 / When it was sent")
    received_at: AwareDatetime | None = Field(description="签收时间 / When it arrived")
    receipt_note: Shown | None = Field(description="签收依据 / How the partner knows that it arrived")
    overdue_at: AwareDatetime | None = Field(description="逾期时间 / Since when it is overdue")
    lost_at: AwareDatetime | None = Field(description="遗失登记时间 / When it was given up")
    lost_because: Shown | None = Field(description="遗失原因 / Why")
    returned_at: AwareDatetime | None = Field(description="归还时间 / When it came back")
    pieces: Count | None = Field(description="归还件数 / Whole pieces that came back")
    return_note: Shown | None = Field(description="归还说明 / What was noted then")
    cancelled_because: Shown | None = Field(description="取消原因 / Why it was not sent")
    cleared_at: AwareDatetime | None = Field(description="解除限制时间 / When it ceased to restrict")
    cleared_because: Shown | None = Field(description="解除理由 / Why")
    recipient: Shown | None = Field(description="收件人 / Recipient, while it is kept")
    phone: Shown | None = Field(description="收件电话 / Telephone, while it is kept")
    postal_address: Shown | None = Field(description="收件地址 / Postal address, while it is kept")


def outcomes(found: Sequence[Outcome]) -> KitOutcomes:
    """Show what became of each kit of many."""
    return KitOutcomes(items=[KitOutcome(**_shown(each)) for each in found])


def own_kit(row: Any) -> OwnKit:  # noqa: ANN401  A row of `queries.list_kits_of`.
    """Show a kit of a person with where it goes."""
    kit, title, address = row
    values = {name: getattr(kit, name) for name in OwnKit.model_fields if hasattr(kit, name)}
    place = {name: getattr(address, name, None) for name in ("recipient", "phone", "postal_address")}
    return OwnKit(**values, title=title, **place)


def _shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        return {"kit": None, "refused": outcome.code}
    return {"kit": Kit.model_validate(outcome), "refused": None}
