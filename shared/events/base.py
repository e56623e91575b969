"""What every event contract has in common.

A contract is a frozen model of ids and values, never of rows and never of a person's name, contact or bank number.
Its `type` ends in its version; its golden JSON Schema is committed beside it (`schemas/`).
"""

from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """One fact of one programme."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # A tolerant reader: new optional fields are no fault.

    type: ClassVar[str]
    key: ClassVar[str]  # The field whose value orders and partitions this event: its aggregate's id.

    programme_id: UUID

    @property
    def partition_key(self) -> str:
        """Say which stream of facts this one belongs to."""
        return str(getattr(self, self.key))


def routing_key(event_type: str) -> str:
    """Drop the version: `activities.attendance.settled.v1` → `activities.attendance.settled`."""
    return event_type.rpartition(".")[0]
