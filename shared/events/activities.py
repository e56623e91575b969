"""What the activities service tells of attendance."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class EvidenceClass(StrEnum):
    """How an attendance is proven, strongest first (DOMAIN.md section 4)."""

    SCANNED = "scanned"  # The person's own scan of the partner's rotating code, in and out.
    ATTESTED = "attested"  # The partner's word, by roster or confirmed end.
    CLAIMED = "claimed"  # One side claimed, the other confirmed.
    MANUAL = "manual"  # A reviewer decided on other evidence.


class VolunteerRegistered(Event):
    """Somebody may serve from now on; who that is, activities alone knows."""

    type: ClassVar[str] = "activities.volunteer.registered.v1"
    key: ClassVar[str] = "volunteer_id"

    volunteer_id: UUID
    registered_at: AwareDatetime


class VolunteerMerged(Event):
    """Two records were one person's: one is left as a pointer, and what it had is the other's.

    What was settled is told anew by attendance, as revised or voided; whoever keeps anything else moves it.
    """

    type: ClassVar[str] = "activities.volunteer.merged.v1"
    key: ClassVar[str] = "volunteer_id"

    volunteer_id: UUID  # Of the record that can do nothing any more.
    merged_into: UUID
    merged_at: AwareDatetime


class VolunteerErased(Event):
    """Somebody is known by no name and no number any more; whoever keeps anything else of the person lets it go."""

    type: ClassVar[str] = "activities.volunteer.erased.v1"
    key: ClassVar[str] = "volunteer_id"

    volunteer_id: UUID
    erased_at: AwareDatetime


class AttendanceCheckedIn(Event):
    """Somebody came to a shift; that they left, `settled` tells, or `missed`."""

    type: ClassVar[str] = "activities.attendance.checked_in.v1"
    key: ClassVar[str] = "attendance_id"

    attendance_id: UUID
    partner_id: UUID
    listing_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    checked_in_at: AwareDatetime


class Attended(Event):
    """What one version of one person's service on one shift comes to. Minutes are whole."""

    key: ClassVar[str] = "attendance_id"

    attendance_id: UUID
    version: int = Field(ge=1)
    partner_id: UUID
    listing_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    started_at: AwareDatetime  # The instant that chooses the policy version.
    service_on: date  # The same, as the programme's local date.
    service_minutes: int = Field(ge=0)  # What really happened.
    matchable_minutes: int = Field(ge=0)  # What may become money; never more.
    evidence: EvidenceClass


class AttendanceSettled(Attended):
    """One person's service on one shift became certain; what follows is `revised` or `voided`."""

    type: ClassVar[str] = "activities.attendance.settled.v1"


class AttendanceRevised(Attended):
    """A later version replaces all earlier ones."""

    type: ClassVar[str] = "activities.attendance.revised.v1"


class AttendanceVoided(Attended):
    """The attendance counts for nothing any more; both minutes are 0."""

    type: ClassVar[str] = "activities.attendance.voided.v1"
