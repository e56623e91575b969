"""What HTTP callers see of work that is handed in."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.deliverables import queries, tables
from services.activities.deliverables.rules import State
from shared.errors import Title
from shared.web.fields import Count, Parts, Shown
from shared.web.lists import Listed

Said = Literal["revision_requested", "accepted", "partially_accepted", "rejected"]


class Deliverable(BaseModel):
    """The work that one place on a shift owes, and how it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    service_on: date
    minutes_per_piece: Count = Field(description="What one accepted piece counts.")
    state: State
    due_until: AwareDatetime
    waits_until: AwareDatetime | None = Field(
        description="Until when, excluded, the state lasts: then it is overdue, abandoned, or accepted by silence."
    )
    submissions: Count = Field(description="How often it was handed in.")
    revisions: Count = Field(description="How often it was asked for again; twice at most.")
    pieces: Count | None = Field(description="Of the last submission.")
    accepted_pieces: Count | None
    decided_at: AwareDatetime | None
    is_by_silence: bool


DELIVERABLES = Listed(
    queries.DELIVERABLES,
    Deliverable,
    file="deliverables",
    title=Title(zh="交付物", en="Deliverables"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "sign_up_id": Title(zh="报名编号", en="Sign-up id"),
        "shift_id": Title(zh="场次编号", en="Shift id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "minutes_per_piece": Title(zh="每件分钟数", en="Minutes a piece"),
        "state": Title(zh="状态", en="State"),
        "due_until": Title(zh="提交期限", en="Due until"),
        "waits_until": Title(zh="当前状态截止", en="State lasts until"),
        "submissions": Title(zh="提交次数", en="Submissions"),
        "revisions": Title(zh="要求修改次数", en="Revisions asked for"),
        "pieces": Title(zh="提交件数", en="Pieces"),
        "accepted_pieces": Title(zh="验收件数", en="Accepted pieces"),
        "decided_at": Title(zh="决定时间", en="Decided at"),
        "is_by_silence": Title(zh="到期自动验收", en="Accepted by silence"),
    },
)


class Submission(BaseModel):
    """What was handed in at one time, and what the partner said of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: Count
    pieces: Count
    note: Shown
    submitted_at: AwareDatetime
    answer: Said | None = Field(description="Null while the partner is asked.")
    reason: Shown | None
    answered_at: AwareDatetime | None


class DeliverableInFull(Deliverable):
    """The same with everything that was handed in, the first first."""

    items: Parts[Submission]


def in_full(row: tables.Deliverable, submissions: Sequence[tables.Submission]) -> DeliverableInFull:
    """Show the work of a place with everything that was handed in."""
    shown = Deliverable.model_validate(row).model_dump()
    return DeliverableInFull(**shown, items=[Submission.model_validate(each) for each in submissions])


class OwnDeliverable(BaseModel):
    """The work that a place of the person's owes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="交付物编号 / The work's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    state: Shown = Field(description="状态 / State")
    due_until: AwareDatetime = Field(description="提交期限 / Until when it is due")
    revisions: Count = Field(description="要求修改次数 / How often it was asked for again")
    accepted_pieces: Count | None = Field(description="验收件数 / How many pieces are accepted")
    decided_at: AwareDatetime | None = Field(description="决定时间 / When it was decided")


class OwnSubmission(BaseModel):
    """What the person has handed in at one time."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="提交编号 / The submission's id")
    deliverable_id: UUID = Field(description="交付物编号 / The work's id")
    number: Count = Field(description="第几次提交 / Which submission it is")
    pieces: Count = Field(description="件数 / How many pieces")
    note: Shown = Field(description="说明 / What was said of it")
    submitted_at: AwareDatetime = Field(description="提交时间 / When")
    answer: Shown | None = Field(description="答复 / What the partner said")
    reason: Shown | None = Field(description="理由 / Why")
