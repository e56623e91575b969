"""What HTTP callers send and see of claims."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.claims import queries
from services.activities.claims.actions import Outcome
from services.activities.claims.rules import MOST_AT_ONCE, Cause, Review, Said, Side, State
from shared.errors import Refusal, Title
from shared.events.activities_claims import MissedKind
from shared.web.fields import Count, Instant, Items, Parts, Reason, Shown, Text
from shared.web.lists import Listed

MOST_WORDS = 1_000


class NewClaim(BaseModel):
    """When somebody was there, and why there is no scan of it."""

    model_config = ConfigDict(extra="forbid")

    checked_in_at: Instant | None = Field(
        default=None, description="Not asked of somebody who was checked in: that check-in counts."
    )
    checked_out_at: Instant
    cause: Cause
    words: Text = Field(min_length=1, max_length=MOST_WORDS, description="What happened; without anybody's name.")
    evidence_note: Text | None = Field(
        default=None, max_length=MOST_WORDS, description="What proves it, and where that is; without anybody's name."
    )


class NewClaimFor(NewClaim):
    """The same, of somebody with a place on the shift."""

    volunteer_id: UUID


class NewClaims(BaseModel):
    """What a partner claims for people on one shift."""

    model_config = ConfigDict(extra="forbid")

    items: list[NewClaimFor] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Claim(BaseModel):
    """What is said of a missed check-in or check-out, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    service_on: date
    kind: MissedKind
    side: Side
    claimed_at: AwareDatetime
    checked_in_at: AwareDatetime
    checked_out_at: AwareDatetime
    cause: Cause
    words: Shown
    evidence_note: Shown | None
    state: State
    review: Review | None = Field(description="Why it waits for a reviewer; null if it does not.")
    answer_until: AwareDatetime = Field(description="Until then the other side alone is asked.")
    decide_until: AwareDatetime = Field(description="Then it expires, unless it was decided.")
    answered_at: AwareDatetime | None
    objection: Shown | None
    decided_at: AwareDatetime | None
    decision_reason: Shown | None
    appealed_at: AwareDatetime | None
    appeal_words: Shown | None


CLAIMS = Listed(
    queries.CLAIMS,
    Claim,
    file="claims",
    title=Title(zh="补签申请", en="Claims"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "sign_up_id": Title(zh="报名编号", en="Sign-up id"),
        "shift_id": Title(zh="场次编号", en="Shift id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "kind": Title(zh="漏签类型", en="Missed"),
        "side": Title(zh="提出方", en="Claimed by"),
        "claimed_at": Title(zh="提出时间", en="Claimed at"),
        "checked_in_at": Title(zh="签到时间", en="From"),
        "checked_out_at": Title(zh="签退时间", en="Until"),
        "cause": Title(zh="漏签原因", en="Cause"),
        "words": Title(zh="说明", en="Explanation"),
        "evidence_note": Title(zh="证据说明", en="Evidence"),
        "state": Title(zh="状态", en="State"),
        "review": Title(zh="待审核原因", en="In review because"),
        "answer_until": Title(zh="对方确认期限", en="Answer until"),
        "decide_until": Title(zh="决定期限", en="Decide until"),
        "answered_at": Title(zh="答复时间", en="Answered at"),
        "objection": Title(zh="异议", en="Objection"),
        "decided_at": Title(zh="决定时间", en="Decided at"),
        "decision_reason": Title(zh="决定理由", en="Reason"),
        "appealed_at": Title(zh="申诉时间", en="Appealed at"),
        "appeal_words": Title(zh="申诉理由", en="Appeal"),
    },
)


class ClaimOutcome(BaseModel):
    """The claim for one person, or the code of why there is none."""

    volunteer_id: UUID
    claim: Claim | None
    refused: Shown | None


class ClaimOutcomes(BaseModel):
    """What became of each, in the order in which they were sent."""

    items: Items[ClaimOutcome]


class Objection(BaseModel):
    """Why it was not so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="Without anybody's name.")


class Decision(BaseModel):
    """Why a reviewer decides so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="On which evidence; without anybody's name.")


class Recovery(BaseModel):
    """What was missed with one partner, and what became of it; the parts add up to `missed`."""

    model_config = ConfigDict(from_attributes=True)

    partner_id: UUID
    missed: Count = Field(description="Places that were missed when their shift was closed, but those excused.")
    recovered: Count = Field(description="By a claim that was confirmed or upheld.")
    settled_otherwise: Count = Field(description="By a correction or an import.")
    rejected: Count
    expired: Count
    open: Count = Field(description="Claimed and not decided.")
    unclaimed: Count


class Recoveries(BaseModel):
    """What was missed on the service dates [since, until), by partner."""

    since: date
    until: date
    items: Parts[Recovery]


class MonthsEvidence(BaseModel):
    """How much of what one partner's volunteers served in a month is proven otherwise than by scans."""

    model_config = ConfigDict(from_attributes=True)

    partner_id: UUID
    month: date = Field(description="Its first day.")
    minutes: Count
    below_minutes: Count = Field(description="Attested, claimed or manual.")


class Evidence(BaseModel):
    """The same of the service dates [since, until), by partner and month."""

    since: date
    until: date
    items: Parts[MonthsEvidence]


def said(item: NewClaim, volunteer_id: UUID) -> Said:
    """Say what was sent as the actions take it."""
    return Said(
        volunteer_id, item.checked_in_at, item.checked_out_at, item.cause, item.words, item.evidence_note
    )  # fmt: skip


def outcomes(sent: Sequence[NewClaimFor], found: Sequence[Outcome]) -> ClaimOutcomes:
    """Show what became of each claim of many."""
    both = zip(sent, found, strict=True)
    return ClaimOutcomes(items=[ClaimOutcome(volunteer_id=item.volunteer_id, **_shown(each)) for item, each in both])


def _shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        return {"claim": None, "refused": outcome.code}
    return {"claim": Claim.model_validate(outcome), "refused": None}


class OwnClaim(BaseModel):
    """What was claimed of a missed check-in or check-out, by the person or by the partner."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="补签编号 / The claim's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    kind: Shown = Field(description="漏签类型 / What was missed")
    side: Shown = Field(description="提出方 / Which side claims")
    claimed_at: AwareDatetime = Field(description="提出时间 / When")
    checked_in_at: AwareDatetime = Field(description="所称签到时间 / From when, as is claimed")
    checked_out_at: AwareDatetime = Field(description="所称签退时间 / Until when, as is claimed")
    cause: Shown = Field(description="漏签原因 / Cause")
    words: Shown = Field(description="说明 / Explanation")
    evidence_note: Shown | None = Field(description="证据说明 / Evidence")
    state: Shown = Field(description="状态 / State")
    objection: Shown | None = Field(description="异议 / Objection")
    decision_reason: Shown | None = Field(description="决定理由 / Why a reviewer decided so")
    appeal_words: Shown | None = Field(description="申诉理由 / Appeal")
