"""What the activities service tells of work that is handed in."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class OfDeliverable(Event):
    """What became of the work that one place on a shift owes."""

    key: ClassVar[str] = "deliverable_id"

    deliverable_id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    at: AwareDatetime


class DeliverableDue(OfDeliverable):
    """The shift is over, and its work is to be handed in."""

    type: ClassVar[str] = "activities.deliverable.due.v1"

    due_until: AwareDatetime  # Excluded, as all of these.


class DeliverableSubmitted(OfDeliverable):
    """Work was handed in; it is accepted unless the partner says otherwise until then."""

    type: ClassVar[str] = "activities.deliverable.submitted.v1"

    submission: int = Field(ge=1)
    pieces: int = Field(ge=1)
    answer_until: AwareDatetime


class DeliverableRevisionRequested(OfDeliverable):
    """The partner asks for the work once more."""

    type: ClassVar[str] = "activities.deliverable.revision_requested.v1"

    submission: int = Field(ge=1)
    revisions: int = Field(ge=1)  # How often it was asked for.
    due_until: AwareDatetime


class DeliverableAccepted(OfDeliverable):
    """What was handed in, or some pieces of it, are accepted: by the partner's word, or by its silence."""

    type: ClassVar[str] = "activities.deliverable.accepted.v1"

    submission: int = Field(ge=1)
    pieces: int = Field(ge=1)
    agreed_minutes: int = Field(ge=1)  # Of these pieces; what is matched is told by attendance.
    is_by_silence: bool
    is_partial: bool


class DeliverableRejected(OfDeliverable):
    """None of what was handed in is accepted; the service stays, and nothing of it is matched."""

    type: ClassVar[str] = "activities.deliverable.rejected.v1"

    submission: int = Field(ge=1)


class DeliverableOverdue(OfDeliverable):
    """Nothing was handed in in time; it still can be."""

    type: ClassVar[str] = "activities.deliverable.overdue.v1"

    submit_until: AwareDatetime


class DeliverableAbandoned(OfDeliverable):
    """Nothing was handed in at all, and nothing is expected any more."""

    type: ClassVar[str] = "activities.deliverable.abandoned.v1"
