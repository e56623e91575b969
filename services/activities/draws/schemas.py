"""What HTTP callers send and see of draws."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.draws.tables import Draw as DrawRow
from shared.web.fields import Count, Instant, Parts, Shown


class NewDraw(BaseModel):
    """When the places of a shift are drawn."""

    model_config = ConfigDict(extra="forbid")

    draws_at: Instant


class Draw(BaseModel):
    """How the places of a shift are drawn, and, once they are, everything to draw them again."""

    shift_id: UUID
    draws_at: AwareDatetime
    commitment: Shown = Field(description="SHA-256 of the seed's bytes, in hexadecimal; published before the draw.")
    drawn_at: AwareDatetime | None
    seed: Shown | None = Field(description="In hexadecimal; null before the draw.")
    entries: Count | None = Field(description="How many stood in the line.")
    order: Parts[UUID] = Field(
        description="Sign-ups in the order drawn: by HMAC-SHA256 of the id's bytes, with the seed's bytes as key."
    )


def shown(row: DrawRow, order: list[UUID]) -> Draw:
    """Show a draw; the seed is a secret until it is held."""
    is_held = row.drawn_at is not None
    return Draw(
        shift_id=row.shift_id, draws_at=row.draws_at, commitment=row.commitment, drawn_at=row.drawn_at,
        seed=row.seed if is_held else None, entries=row.entries, order=order,
    )  # fmt: skip
