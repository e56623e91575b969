"""What the activities service tells of proposals."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class Proposed(Event):
    """Something about a proposal of a partner in a round; `submission` counts its versions, from 1."""

    key: ClassVar[str] = "proposal_id"

    proposal_id: UUID
    partner_id: UUID
    round_id: UUID
    submission: int = Field(ge=1)
    submitted_at: AwareDatetime


class ProposalSubmitted(Proposed):
    """A partner handed a proposal in, or in again; or an operator did, on its behalf."""

    type: ClassVar[str] = "activities.proposal.submitted.v1"

    is_on_behalf: bool


class ProposalReviewed(Proposed):
    """A reviewer has looked at a version; whole minutes from its submission on."""

    decision_id: UUID
    decided_at: AwareDatetime
    review_minutes: int = Field(ge=0)


class ProposalChangesRequested(ProposalReviewed):
    """A proposal goes back to its partner, to be handed in again."""

    type: ClassVar[str] = "activities.proposal.changes_requested.v1"


class ProposalApproved(ProposalReviewed):
    """A proposal becomes a published listing at `publish_at`, or soon after it was approved if that is later."""

    type: ClassVar[str] = "activities.proposal.approved.v1"

    publish_at: AwareDatetime


class ProposalRejected(ProposalReviewed):
    """A proposal was turned down, for good."""

    type: ClassVar[str] = "activities.proposal.rejected.v1"
