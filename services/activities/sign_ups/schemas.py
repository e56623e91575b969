"""What HTTP callers see of sign-ups."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.activities.sign_ups.queries import Guest as GuestRow
from services.activities.sign_ups.rules import State, pseudonym
from shared.web.fields import Count, Parts, Shown


class Guest(BaseModel):
    """Somebody who has a place on a shift, as its host may see them."""

    number: Count = Field(description="The place's number on this shift; it never changes.")
    sign_up_id: UUID
    state: State = Field(description="Expected, or what became of it.")
    volunteer_id: UUID
    display_name: Shown | None = Field(description="Only of somebody who consents to that now; else null.")
    pseudonym_zh: Shown
    pseudonym_en: Shown
    signed_up_at: AwareDatetime


class Roster(BaseModel):
    """Everybody who has a place on a shift, in the order of the places."""

    items: Parts[Guest]


def guest(row: GuestRow) -> Guest:
    """Show one line of a roster."""
    title = pseudonym(row.number)
    return Guest(**row._asdict(), pseudonym_zh=title.zh, pseudonym_en=title.en)
