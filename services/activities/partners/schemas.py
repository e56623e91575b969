"""What HTTP callers send and see of partners."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.web.fields import Day, Shown, Text


class PartnerFacts(BaseModel):
    """What activities must know of a partner."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=120)
    agreement: Literal["signed", "carried_over"]
    since: Day


class Partner(PartnerFacts):
    """A partner that may publish."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    reference: Shown
