"""What HTTP callers send and see of all the data of a person. Each field says in both languages what it is."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.calendar_feeds.schemas import CalendarFeed
from services.activities.certificates.schemas import OwnCertificate
from services.activities.check_ins.schemas import OwnWrongCodes
from services.activities.claims.schemas import OwnClaim
from services.activities.consents.schemas import Consent
from services.activities.deliverables.schemas import OwnDeliverable, OwnSubmission
from services.activities.eligibility.schemas import Interval
from services.activities.feedback.schemas import OwnAnswer, OwnFeedback
from services.activities.incidents.schemas import OwnIncident
from services.activities.kit_returns.schemas import OwnKitCost
from services.activities.kits.schemas import OwnKit, own_kit
from services.activities.personal_data.queries import Everything
from services.activities.reliability.schemas import Appeal
from services.activities.rosters.schemas import OwnWalkIn
from services.activities.scans.schemas import OwnScan
from services.activities.work_files.schemas import OwnFile
from shared.web.fields import Count, Items, Parts, Reason, Shown

M = TypeVar("M", bound=BaseModel)


class Confirmation(BaseModel):
    """That the person has understood that this cannot be undone."""

    confirmed: Literal[True]


class Grounds(BaseModel):
    """Why somebody else than the person asks."""

    reason: Reason = Field(description="What the person asked for, and where that is kept; without their name.")


class ErasureGrounds(Grounds, Confirmation):
    """Why somebody is erased at whose wish it is not told by signing in, and that this cannot be undone."""


class Erasure(BaseModel):
    """That a person was erased: when, by whom and why (null: at their own wish, signed in)."""

    model_config = ConfigDict(from_attributes=True)

    volunteer_id: UUID
    accessed_by: UUID = Field(serialization_alias="erased_by")
    reason: Shown | None
    accessed_at: AwareDatetime = Field(serialization_alias="erased_at")


class Described(BaseModel):
    """A part of a person's data."""

    model_config = ConfigDict(from_attributes=True)


class Person(Described):
    """Who the person is to the programme."""

    id: UUID = Field(description="志愿者编号 / The person's id in the programme")
    programme_id: UUID = Field(description="项目编号 / The programme's id")
    employee_number: Shown = Field(description="员工编号 / Employee number")
    display_name: Shown = Field(description="显示名 / Display name")
    registered_at: AwareDatetime = Field(description="登记时间 / When the person was registered")


class OwnProfile(Described):
    """What the person is besides; version 0 if nobody ever said anything."""

    version: Count = Field(description="版本 / Counts the changes")
    department: Shown | None = Field(description="部门 / Department")
    city: Shown | None = Field(description="城市 / City")
    languages: Items[Shown] = Field(description="语言代码 / Languages, by code")
    skills: Items[Shown] = Field(description="技能代码 / Skills, by code")
    changed_by: UUID | None = Field(description="修改人编号 / Who changed it last")
    changed_at: AwareDatetime | None = Field(description="修改时间 / When")


class OwnEligibility(Described):
    """On which dates service may be matched: on every one if no interval is recorded."""

    version: Count = Field(description="版本 / Counts how often it was recorded")
    reason: Shown | None = Field(description="依据 / What it rests on")
    recorded_by: UUID | None = Field(description="记录人编号 / Who recorded it")
    recorded_at: AwareDatetime | None = Field(description="记录时间 / When")
    intervals: Items[Interval] = Field(default=[], description="在职区间 / Dates of employment")


class FormerRecord(Described):
    """A second record of the same person, which was merged into the one that stays."""

    id: UUID = Field(description="原志愿者编号 / The id that it had")
    employee_number: Shown = Field(description="原员工编号 / Its employee number")
    display_name: Shown = Field(description="原显示名 / Its display name")
    registered_at: AwareDatetime = Field(description="登记时间 / When it was registered")
    merged_at: AwareDatetime = Field(description="合并时间 / When it was merged")
    reason: Shown = Field(description="合并理由 / Why")
    maker_id: UUID = Field(description="申请人编号 / Who proposed it")
    decider_id: UUID = Field(description="审批人编号 / Who approved it")


class OwnSignUp(Described):
    """A sign-up for a shift: a place, or one in the line for it."""

    id: UUID = Field(description="报名编号 / The place's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    title: Shown = Field(description="活动名称 / The activity's title")
    partner_id: UUID = Field(description="举办方编号 / The host's id")
    starts_at: AwareDatetime = Field(description="场次开始 / When the shift starts")
    ends_at: AwareDatetime = Field(description="场次结束 / When the shift ends")
    source: Literal["self", "import", "walk_in"] = Field(
        description="来源：本人、导入或现场到场 / Made by the person, imported, or walked in"
    )
    signed_up_at: AwareDatetime = Field(description="报名时间 / When the person signed up")
    state: Shown = Field(description="状态 / State")
    ended_at: AwareDatetime | None = Field(description="结束时间 / When it was decided what became of it")
    ended_because: Shown | None = Field(description="原因 / Why")
    offer_expires_at: AwareDatetime | None = Field(description="邀请有效期至 / Until when the place is kept")
    drawn_place: Count | None = Field(description="抽签顺位 / The place in the draw")


class OwnVersion(Described):
    """One decision about an attendance."""

    version: Count = Field(description="版本 / Counts the decisions, from 1")
    kind: Shown = Field(description="类型：结算、更正或作废 / settled, revised or voided")
    checked_in_at: AwareDatetime = Field(description="签到 / Check-in")
    checked_out_at: AwareDatetime = Field(description="签退 / Check-out")
    evidence: Shown = Field(description="证据等级 / Evidence class")
    service_minutes: Count = Field(description="服务时长（分钟） / Service, in minutes")
    matchable_minutes: Count = Field(description="可配捐时长（分钟） / Minutes that may become a donation")
    reason: Shown = Field(description="理由 / Why")
    decided_by: UUID = Field(description="决定人编号 / Who decided")
    decided_at: AwareDatetime = Field(description="决定时间 / When")


class OwnAttendanceRecord(Described):
    """What became of a place."""

    id: UUID = Field(description="考勤编号 / The attendance's id")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    service_on: date = Field(description="服务日期（当地） / Local date of service")
    state: Shown = Field(description="状态 / State")
    checked_in_at: AwareDatetime = Field(description="签到 / Check-in")
    checked_out_at: AwareDatetime | None = Field(description="签退 / Check-out")
    service_minutes: Count = Field(description="服务时长（分钟） / Service, in minutes")
    matchable_minutes: Count = Field(description="可配捐时长（分钟） / Minutes that may become a donation")
    versions: Parts[OwnVersion] = Field(default=[], description="历次决定 / Every decision about it")


class Access(Described):
    """Who took out, or erased, all the data of the person."""

    kind: Shown = Field(description="导出或删除 / Export or erasure")
    accessed_by: UUID = Field(description="操作人编号 / By whom")
    reason: Shown | None = Field(description="理由，本人操作时为空 / Why; null when it was the person")
    accessed_at: AwareDatetime = Field(description="时间 / When")


class Meaning(BaseModel):
    """What a field is."""

    zh: Shown
    en: Shown


class PersonalData(BaseModel):
    """Everything that activities knows of a person. `fields` says what each field is, by its path."""

    made_at: AwareDatetime
    person: Person
    profile: OwnProfile
    eligibility: OwnEligibility
    former_records: Parts[FormerRecord]
    consents: Parts[Consent]
    sign_ups: Parts[OwnSignUp]
    calendar_feeds: Parts[CalendarFeed]
    appeals: Parts[Appeal]
    attendances: Parts[OwnAttendanceRecord]
    scans: Parts[OwnScan]
    wrong_codes: Parts[OwnWrongCodes]
    walk_ins: Parts[OwnWalkIn]
    claims: Parts[OwnClaim]
    deliverables: Parts[OwnDeliverable]
    submissions: Parts[OwnSubmission]
    work_files: Parts[OwnFile]
    kits: Parts[OwnKit]
    kit_costs: Parts[OwnKitCost]
    incidents: Parts[OwnIncident]
    feedback: Parts[OwnFeedback]
    certificates: Parts[OwnCertificate]
    accesses: Parts[Access]
    fields: dict[Shown, Meaning]


PARTS: dict[str, type[BaseModel]] = {
    "person": Person,
    "profile": OwnProfile,
    "eligibility": OwnEligibility,
    "eligibility.intervals": Interval,
    "former_records": FormerRecord,
    "consents": Consent,
    "sign_ups": OwnSignUp,
    "calendar_feeds": CalendarFeed,
    "appeals": Appeal,
    "attendances": OwnAttendanceRecord,
    "attendances.versions": OwnVersion,
    "scans": OwnScan,
    "wrong_codes": OwnWrongCodes,
    "walk_ins": OwnWalkIn,
    "claims": OwnClaim,
    "deliverables": OwnDeliverable,
    "submissions": OwnSubmission,
    "work_files": OwnFile,
    "kits": OwnKit,
    "kit_costs": OwnKitCost,
    "incidents": OwnIncident,
    "feedback": OwnFeedback,
    "feedback.versions": OwnAnswer,
    "certificates": OwnCertificate,
    "accesses": Access,
}


def fields() -> dict[str, Meaning]:
    """Return what each field of a person's data is, by its path, in both languages."""
    found = {}
    for part, model in PARTS.items():
        for name, field in model.model_fields.items():
            zh, _, en = (field.description or "").partition(" / ")
            found[f"{part}.{name}"] = Meaning(zh=zh, en=en)
    return found


def shown(found: Everything, *, now: datetime) -> PersonalData:
    """Show all that is known of a person."""
    versions: dict[UUID, Parts[OwnVersion]] = {}
    for row in found.versions:
        versions.setdefault(row.attendance_id, []).append(OwnVersion.model_validate(row))
    answers: dict[UUID, Parts[OwnAnswer]] = {}
    for answer in found.answers:
        answers.setdefault(answer.feedback_id, []).append(OwnAnswer.model_validate(answer))
    feedback = (OwnFeedback.model_validate(row) for row in found.feedback)
    attendances = (OwnAttendanceRecord.model_validate(row) for row in found.attendances)
    eligibility = OwnEligibility.model_validate(found.eligibility)
    return PersonalData(
        made_at=now, person=Person.model_validate(found.person),
        profile=OwnProfile.model_validate(found.profile),
        eligibility=eligibility.model_copy(update={"intervals": _all(Interval, found.intervals)}),
        former_records=_all(FormerRecord, found.former),
        consents=_all(Consent, found.consents),
        sign_ups=_all(OwnSignUp, found.sign_ups),
        calendar_feeds=_all(CalendarFeed, found.calendar_feeds),
        appeals=_all(Appeal, found.appeals),
        attendances=[each.model_copy(update={"versions": versions.get(each.id, [])}) for each in attendances],
        scans=_all(OwnScan, found.scans),
        wrong_codes=_all(OwnWrongCodes, found.wrong_codes),
        walk_ins=_all(OwnWalkIn, found.walk_ins),
        claims=_all(OwnClaim, found.claims),
        deliverables=_all(OwnDeliverable, found.deliverables),
        submissions=_all(OwnSubmission, found.submissions),
        work_files=_all(OwnFile, found.work_files),
        kits=[own_kit(row) for row in found.kits],
        kit_costs=_all(OwnKitCost, found.kit_costs),
        incidents=_all(OwnIncident, found.incidents),
        feedback=[each.model_copy(update={"versions": answers.get(each.id, [])}) for each in feedback],
        certificates=_all(OwnCertificate, found.certificates),
        accesses=_all(Access, found.accesses),
        fields=fields(),
    )  # fmt: skip


def _all(model: type[M], rows: Sequence[object]) -> list[M]:
    return [model.model_validate(row) for row in rows]
