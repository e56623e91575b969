"""What the activities service tells of rounds: each a week's call for proposals."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class RoundOpened(Event):
    """A week's call for proposals is open until `closes_at`; told once."""

    type: ClassVar[str] = "activities.round.opened.v1"
    key: ClassVar[str] = "round_id"

    round_id: UUID
    number: int = Field(ge=1)
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    review_by: AwareDatetime
    publish_at: AwareDatetime
    target: int = Field(ge=0)  # Activities that the week needs.


class RoundClosed(Event):
    """A week's call is over, by its time or because it was called off while it was open; told once."""

    type: ClassVar[str] = "activities.round.closed.v1"
    key: ClassVar[str] = "round_id"

    round_id: UUID
    number: int = Field(ge=1)
    closed_at: AwareDatetime
    review_by: AwareDatetime
    publish_at: AwareDatetime
    is_cancelled: bool
