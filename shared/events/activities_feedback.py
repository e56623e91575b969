"""What the activities service tells of feedback after a shift."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import Event


class FeedbackSide(StrEnum):
    """Who answered about what."""

    VOLUNTEER = "volunteer"  # A volunteer about the activity.
    HOST = "host"  # The partner about the volunteers of a shift.
    REMARK = "remark"  # The partner about one person, who is `volunteer_id`.


class Rating(BaseModel):
    """One rating, 1 to 5; `question` is its key in the form."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(pattern="^[a-z][a-z0-9_]{0,39}$")
    mark: int = Field(ge=1, le=5)


class FeedbackReceived(Event):
    """Somebody answered after a shift, or changed the answer (a later `version`); without anything said in words.

    Hosts do not see who answered, so whoever passes this on to one leaves `volunteer_id` and `is_complaint` out.
    """

    type: ClassVar[str] = "activities.feedback.received.v1"
    key: ClassVar[str] = "feedback_id"

    feedback_id: UUID
    version: int = Field(ge=1)
    side: FeedbackSide
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID | None  # Who answered, or whom a remark is about; none of a host's view of a shift.
    service_on: date
    form_version: int = Field(ge=0)
    ratings: tuple[Rating, ...]  # None of a remark: those are between the person and the operator.
    is_complaint: bool
