"""What HTTP callers send and see of volunteers."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.privacy.masking import mask
from shared.web.fields import Text


class NewVolunteer(BaseModel):
    """Who is to be registered."""

    employee_number: Text = Field(min_length=1, max_length=40)
    display_name: Text = Field(min_length=1, max_length=80)
    comes_back: bool = Field(
        default=False, description="The person was erased and wishes to come back; they begin as somebody new."
    )


class Numbers(BaseModel):
    """Whom to look up. In a body, for an address ends in the logs of every proxy."""

    employee_numbers: list[Annotated[Text, Field(min_length=1, max_length=40)]] = Field(min_length=1, max_length=200)


class Volunteer(BaseModel):
    """A registered volunteer; name and number are masked for readers who need neither. Pseudonyms once `erased_at`."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    employee_number: str
    display_name: str
    erased_at: AwareDatetime | None = None


class NamesWanted(BaseModel):
    """Whose names are to be shown; an id may be there twice."""

    ids: list[UUID] = Field(max_length=1_000)


class Names(BaseModel):
    """Display names by volunteer's id; whom the programme does not know is left out."""

    names: dict[UUID, str]


class Volunteers(BaseModel):
    """A page of volunteers; `next` continues the list, null at its end."""

    items: list[Volunteer]
    next: UUID | None


class FoundVolunteers(BaseModel):
    """Those of the numbers that are registered, in the order of the numbers."""

    items: list[Volunteer]


def shown(row: object, *, masked: bool) -> Volunteer:
    """Show a volunteer, to those who need not know who it is without the name and the number."""
    volunteer = Volunteer.model_validate(row)
    if not masked:
        return volunteer
    name, number = mask(volunteer.display_name), mask(volunteer.employee_number, shown=2)
    return volunteer.model_copy(update={"display_name": name, "employee_number": number})
