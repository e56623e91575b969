"""What the activities service tells of incidents."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.base import Event


class IncidentKind(StrEnum):
    """What an incident is about."""

    FRAUD_SIGNAL = "fraud_signal"
    COMPLAINT = "complaint"
    SAFETY = "safety"
    ACCIDENT = "accident"
    DATA = "data"
    OTHER = "other"


class IncidentSubject(StrEnum):
    """Which kind of thing an incident's subject is."""

    SHIFT = "shift"
    LISTING = "listing"
    PARTNER = "partner"
    VOLUNTEER = "volunteer"
    ATTENDANCE = "attendance"
    CLAIM = "claim"
    KIT = "kit"
    DELIVERABLE = "deliverable"
    FEEDBACK = "feedback"


class IncidentOpened(Event):
    """Somebody, or a rule of ours, says that a person has to look into something."""

    type: ClassVar[str] = "activities.incident.opened.v1"
    key: ClassVar[str] = "incident_id"

    incident_id: UUID
    kind: IncidentKind
    subject_type: IncidentSubject
    subject_id: UUID
    shift_id: UUID | None
    partner_id: UUID | None
    volunteer_id: UUID | None
    opened_at: AwareDatetime
    deadline_at: AwareDatetime


class IncidentClosed(Event):
    """An incident was looked into: there was something (`is_resolved`), or nothing."""

    type: ClassVar[str] = "activities.incident.closed.v1"
    key: ClassVar[str] = "incident_id"

    incident_id: UUID
    kind: IncidentKind
    is_resolved: bool
    partner_id: UUID | None
    closed_at: AwareDatetime
