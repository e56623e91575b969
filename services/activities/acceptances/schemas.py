"""What HTTP callers send and see of what is said of work that was handed in."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.activities.acceptances.actions import Outcome
from services.activities.acceptances.rules import MOST_AT_ONCE
from services.activities.deliverables.rules import MOST_PIECES, MOST_REVISIONS
from services.activities.deliverables.schemas import Deliverable
from shared.errors import Refusal
from shared.web.fields import WHOLE, Items, Reason, Shown, Whole


class Acceptance(BaseModel):
    """How many pieces are accepted: all of them, unless it says how many."""

    model_config = ConfigDict(extra="forbid")

    pieces: Annotated[int, Field(ge=1, le=MOST_PIECES), WHOLE] | None = None
    reason: Reason | None = Field(default=None, description="Asked for where it is fewer than were handed in.")


class Verdict(BaseModel):
    """Why nothing is accepted, or what is to be done again."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="By the criteria; without anybody's name.")


class Accepted(BaseModel):
    """Work that is accepted whole, as it was handed in the time that is named."""

    model_config = ConfigDict(extra="forbid")

    deliverable_id: UUID
    submission: Whole = Field(ge=1, le=MOST_REVISIONS + 1, description="The number of the submission that was seen.")


class AcceptedMany(BaseModel):
    """The same, many at once."""

    model_config = ConfigDict(extra="forbid")

    items: list[Accepted] = Field(min_length=1, max_length=MOST_AT_ONCE)


class AcceptanceOutcome(BaseModel):
    """The work as it stands now, or the code of why it is not accepted."""

    deliverable_id: UUID
    deliverable: Deliverable | None
    refused: Shown | None


class AcceptanceOutcomes(BaseModel):
    """What became of each, in the order in which they were sent."""

    items: Items[AcceptanceOutcome]


def outcomes(sent: Sequence[Accepted], found: Sequence[Outcome]) -> AcceptanceOutcomes:
    """Show what became of each of many."""
    both = zip(sent, found, strict=True)
    return AcceptanceOutcomes(
        items=[AcceptanceOutcome(deliverable_id=item.deliverable_id, **_shown(each)) for item, each in both]
    )


def _shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        return {"deliverable": None, "refused": outcome.code}
    return {"deliverable": Deliverable.model_validate(outcome), "refused": None}
