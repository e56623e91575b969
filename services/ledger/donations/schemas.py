"""Donations and the waterfall as HTTP callers ask for them and see them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasPath, AwareDatetime, BaseModel, ConfigDict, Field

from services.ledger.donations import queries
from services.ledger.journal.schemas import AccountTotal, Amount, Entry
from shared.documents import papers
from shared.documents.papers import Cell, Column, Facts, Language, Minutes, Paper, Reference, Table
from shared.errors import Title
from shared.web.fields import Count, Day, Fen, Items, Parts, Shown
from shared.web.lists import Listed

Say = Callable[[str, str], str]


class WaterfallFilter(BaseModel):
    """What to add up; `service_until` is excluded."""

    model_config = ConfigDict(extra="forbid")

    partner_id: UUID | None = None
    listing_id: UUID | None = None
    service_from: Day | None = None
    service_until: Day | None = None


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


def paper_of(story: DonationStory, *, language: Language, programme_id: UUID, now: datetime, trace: str) -> Paper:
    """Write a story as a document for a partner or for finance, in one language."""
    stands = story.donation

    def say(zh: str, en: str) -> str:
        return en if language == "en" else zh

    return Paper(
        title=say("配捐说明", "Donation explained"),
        language=language,
        programme=str(programme_id),
        reference=str(stands.id),
        issued_at=now,
        trace=trace,
        sections=[
            Facts(
                say("概要", "Summary"),
                [
                    (say("配捐金额", "Amount"), papers.Fen(stands.amount.fen)),
                    (say("计入时长", "Credited time"), Minutes(stands.credited_minutes)),
                    (say("服务日期", "Service date"), stands.service_on),
                    (say("开始时间", "Started at"), stands.started_at),
                    (say("状态", "State"), _STATES[stands.state][language == "en"]),
                    (say("证据", "Evidence"), say(*_EVIDENCE.get(stands.evidence, (stands.evidence, stands.evidence)))),
                    (say("机构", "Partner"), Reference(str(stands.partner_id))),
                    (say("活动", "Activity"), Reference(str(stands.listing_id))),
                    (say("场次", "Shift"), Reference(str(stands.shift_id))),
                    (say("服务记录", "Attendance"), Reference(str(stands.attendance_id))),
                ],
            ),
            _explained(story, say),
            _versions(story, say, language),
            _posted(story, say),
        ],
    )


def _explained(story: DonationStory, say: Say) -> Table:
    columns = [
        Column(say("步骤", "Step"), 5),
        Column(say("时长", "Time"), 2, is_figure=True),
        Column(say("金额", "Amount"), 2, is_figure=True),
    ]
    rows: list[Sequence[Cell]] = [
        (say(line.zh, line.en), Minutes(line.minutes), None if line.amount is None else papers.Fen(line.amount.fen))
        for line in story.explanation
    ]
    return Table(say("金额的由来", "How the amount came about"), columns, rows)


def _versions(story: DonationStory, say: Say, language: Language) -> Table:
    columns = [
        Column(say("版本", "Version"), 2),
        Column(say("状态", "State"), 2),
        Column(say("记录时长", "Recorded"), 4, is_figure=True),
        Column(say("计入时长", "Credited"), 4, is_figure=True),
        Column(say("金额", "Amount"), 4, is_figure=True),
        Column(say("确定时间", "Decided at"), 7),
    ]
    rows: list[Sequence[Cell]] = [
        (
            str(each.version), _STATES[each.state][language == "en"], Minutes(each.recorded_minutes),
            Minutes(each.credited_minutes), papers.Fen(each.amount.fen), each.decided_at,
        )
        for each in story.versions
    ]  # fmt: skip
    return Table(say("版本", "Versions"), columns, rows)


def _posted(story: DonationStory, say: Say) -> Table:
    columns = [
        Column(say("分录", "Entry"), 5),
        Column(say("类型", "Kind"), 2),
        Column(say("记账日期", "Effective on"), 3),
        Column(say("科目", "Account"), 2),
        Column(say("借方为正", "Debit is positive"), 3, is_figure=True),
    ]
    rows: list[Sequence[Cell]] = [
        (
            Reference(str(entry.id)),
            say(*_KINDS.get(entry.kind, (entry.kind, entry.kind))),
            entry.effective_on,
            leg.account,
            papers.Fen(leg.amount.fen),
        )
        for entry in story.entries
        for leg in entry.legs
    ]  # fmt: skip
    note = say("每笔分录的金额合计为零。", "The amounts of each entry add up to zero.")
    return Table(say("会计分录", "Journal entries"), columns, rows, note=note)


_STATES = {"settled": ("已结算", "settled"), "revised": ("已更正", "revised"), "voided": ("已作废", "voided")}
_EVIDENCE = {
    "scanned": ("扫码", "scanned"),
    "attested": ("机构确认", "attested by the partner"),
    "claimed": ("申报并确认", "claimed and confirmed"),
    "manual": ("人工审核", "decided by a reviewer"),
}
_KINDS = {"accrual": ("计提", "accrual"), "reversal": ("冲回", "reversal")}


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
    accrued: Amount = Field(validation_alias=AliasPath("sums", "fen"))
    drops: Items[Dropped]


class TrialBalance(BaseModel):
    """Whether the books balance, and the sums that say so."""

    model_config = ConfigDict(from_attributes=True)

    accounts: Items[AccountTotal] = Field(validation_alias=AliasPath("trial", "accounts"))
    total: Amount = Field(validation_alias=AliasPath("trial", "total"))
    differing_balances: Count = Field(validation_alias=AliasPath("trial", "differing_balances"))
    unbalanced_entries: Count = Field(validation_alias=AliasPath("trial", "unbalanced_entries"))
    differing_totals: Count
    balanced: bool


class OwnDonation(BaseModel):
    """One version of what a person's service on a shift came to."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="配捐编号 / The donation's id")
    version: Count = Field(description="版本 / Counts the versions, from 1")
    state: Literal["settled", "revised", "voided"] = Field(description="状态 / State")
    attendance_id: UUID = Field(description="考勤编号 / The attendance's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    partner_id: UUID = Field(description="受赠机构编号 / The partner that gets it")
    service_on: date = Field(description="服务日期（当地） / Local date of service")
    recorded_minutes: Count = Field(description="服务时长（分钟） / Service, in minutes")
    credited_minutes: Count = Field(description="计入配捐的时长（分钟） / Minutes that were priced")
    fen: Fen = Field(description="金额（分） / Amount, in fen")
    decided_at: AwareDatetime = Field(description="决定时间 / When it was decided")
    superseded_at: AwareDatetime | None = Field(description="被更正时间 / When a later version replaced it")


class Meaning(BaseModel):
    """What a field is."""

    zh: Shown
    en: Shown


class OwnDonations(BaseModel):
    """Everything that the ledger knows of a person. `fields` says what each field is, by its path."""

    made_at: AwareDatetime
    donations: Parts[OwnDonation]
    fields: dict[str, Meaning]


def own_donations(rows: Sequence[object], *, now: datetime) -> OwnDonations:
    """Show all that the ledger knows of a person."""
    parted = {name: (field.description or "").partition(" / ") for name, field in OwnDonation.model_fields.items()}
    return OwnDonations(
        made_at=now,
        donations=[OwnDonation.model_validate(row) for row in rows],
        fields={f"donations.{name}": Meaning(zh=zh, en=en) for name, (zh, _, en) in parted.items()},
    )
