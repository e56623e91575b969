"""Whose rows a caller sees."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """All rows of a programme, or among them those with one partner, or those of one volunteer."""

    programme_id: UUID
    partner_id: UUID | None = None
    volunteer_id: UUID | None = None
