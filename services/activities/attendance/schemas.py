"""What HTTP callers send and see of attendance."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.attendance import queries
from services.activities.attendance.queries import State
from shared.errors import Title
from shared.events.activities import EvidenceClass
from shared.web.fields import Count, Instant, Parts, Shown, Text
from shared.web.lists import Listed


class Attendance(BaseModel):
    """One person on one shift; minutes are whole and 0 until settled."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    service_on: date
    state: State
    version: Count
    checked_in_at: AwareDatetime
    checked_out_at: AwareDatetime | None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    evidence: EvidenceClass | None
    service_minutes: Count
    matchable_minutes: Count


ATTENDANCES = Listed(
    queries.ATTENDANCES,
    Attendance,
    file="attendances",
    title=Title(zh="签到记录", en="Attendances"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "shift_id": Title(zh="班次编号", en="Shift id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "state": Title(zh="状态", en="State"),
        "version": Title(zh="版本", en="Version"),
        "checked_in_at": Title(zh="签到时间", en="Checked in at"),
        "checked_out_at": Title(zh="签退时间", en="Checked out at"),
        "started_at": Title(zh="计时开始", en="Counted from"),
        "ended_at": Title(zh="计时结束", en="Counted until"),
        "evidence": Title(zh="证明方式", en="Evidence"),
        "service_minutes": Title(zh="服务分钟", en="Service minutes"),
        "matchable_minutes": Title(zh="可配捐分钟", en="Matchable minutes"),
    },
)


class OwnAttendance(BaseModel):
    """How a volunteer stands with a shift; `expected` is signed up and not yet arrived."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["expected", "checked_in", "settled", "voided"] = "expected"
    checked_in_at: AwareDatetime | None = None
    checked_out_at: AwareDatetime | None = None
    service_minutes: Count | None = None
    matchable_minutes: Count | None = None


class Version(BaseModel):
    """One decision about an attendance."""

    model_config = ConfigDict(from_attributes=True)

    version: Count
    kind: Literal["settled", "revised", "voided"]
    checked_in_at: AwareDatetime
    checked_out_at: AwareDatetime
    evidence: EvidenceClass
    service_minutes: Count
    matchable_minutes: Count
    reason: Shown
    decided_by: UUID
    decided_at: AwareDatetime


class History(Attendance):
    """An attendance with every decision about it, oldest first."""

    versions: Parts[Version]


class Void(BaseModel):
    """Why an attendance is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=500)


class Correction(BaseModel):
    """What really happened."""

    model_config = ConfigDict(extra="forbid")

    checked_in_at: Instant
    checked_out_at: Instant
    evidence: EvidenceClass = EvidenceClass.MANUAL
    reason: Text = Field(min_length=1, max_length=500)


class Summary(BaseModel):
    """What happened on the service dates [since, until). A participation: one person's settled service on a shift."""

    since: date
    until: date
    participations: Count
    volunteers: Count
    without_check_out: Count
    voided: Count
    service_minutes: Count
    matchable_minutes: Count
    shifts: Count
    shifts_held: Count
    shifts_cancelled: Count
    partners_signed: Count
    partners_carried_over: Count
