"""What HTTP callers send and see of attendance."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.activities import EvidenceClass
from shared.web.fields import Count, Instant, Items, Parts, Shown, Text, Whole

State = Literal["checked_in", "settled", "voided"]
NEWEST = 2**31 - 1  # What the column holds.


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


class Attendances(BaseModel):
    """A page of attendances; `next` continues the list, null at its end."""

    items: Items[Attendance]
    next: UUID | None


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
    """Why an attendance is taken back; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid")

    version: Whole = Field(ge=1, le=NEWEST)
    reason: Text = Field(min_length=1, max_length=500)


class Correction(BaseModel):
    """What really happened; `version` is the one that was read, 0 for one that lacks its check-out."""

    model_config = ConfigDict(extra="forbid")

    version: Whole = Field(ge=0, le=NEWEST)
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
