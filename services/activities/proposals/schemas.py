"""What HTTP callers send and see of proposals."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.checklists.rules import Mode
from services.activities.checklists.schemas import Content, Finding, NewContent
from services.activities.proposals import queries
from services.activities.proposals.rules import State
from shared.errors import Title
from shared.web.fields import Count, Items, Parts, Reason, Shown
from shared.web.lists import Listed


class NewProposal(BaseModel):
    """What is begun, by which partner, in which round."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID
    round_id: UUID
    content: NewContent


class Withdrawal(BaseModel):
    """Why a proposal is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Cloning(BaseModel):
    """The round in which a proposal is repeated; its shifts move as the rounds' publish times do."""

    model_config = ConfigDict(extra="forbid")

    round_id: UUID


class Proposal(BaseModel):
    """A proposal as lists show it. `number` counts within the round; `submissions` counts its versions."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    partner_id: UUID
    round_id: UUID
    number: Count
    external_reference: Shown | None
    state: State
    mode: Mode
    title: Shown
    series_id: UUID
    cloned_from: UUID | None
    submissions: Count
    drafted_at: AwareDatetime
    submitted_at: AwareDatetime | None
    reviewer_id: UUID | None
    decided_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    ended_because: Shown | None
    listing_id: UUID | None
    published_at: AwareDatetime | None


class WholeProposal(Proposal):
    """A proposal with all that it says, and what the automatic checklist finds in it now."""

    content: Content
    findings: Parts[Finding] = Field(description="Of what is under way; blocking ones stand in the way of submitting.")


class Alike(BaseModel):
    """A proposal of late with a text like another's: the share of trigrams in common, of all, in percent."""

    proposal_id: UUID
    partner_id: UUID
    round_id: UUID
    title: Shown
    state: State
    percent: Count


class AllAlike(BaseModel):
    """Those proposals that are likest, likest first."""

    items: Items[Alike]


PROPOSALS = Listed(
    queries.PROPOSALS,
    Proposal,
    file="proposals",
    title=Title(zh="活动方案", en="Proposals"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "round_id": Title(zh="招募轮次编号", en="Round id"),
        "number": Title(zh="轮内序号", en="Number in the round"),
        "external_reference": Title(zh="表格编号", en="Reference in a sheet"),
        "state": Title(zh="状态", en="State"),
        "mode": Title(zh="方式", en="Mode"),
        "title": Title(zh="活动名称", en="Title"),
        "series_id": Title(zh="系列编号", en="Series id"),
        "cloned_from": Title(zh="复制自", en="Cloned from"),
        "submissions": Title(zh="提交次数", en="Submissions"),
        "drafted_at": Title(zh="起草时间", en="Drafted at"),
        "submitted_at": Title(zh="最近提交时间", en="Submitted last at"),
        "reviewer_id": Title(zh="审核人编号", en="Reviewer id"),
        "decided_at": Title(zh="审核完成时间", en="Decided at"),
        "ended_at": Title(zh="撤回或失效时间", en="Given up at"),
        "ended_because": Title(zh="撤回或失效原因", en="Given up because"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "published_at": Title(zh="上架时间", en="Published at"),
    },
)
