"""What HTTP callers send and see of volunteers."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.web.fields import Text


class NewVolunteer(BaseModel):
    """Who is to be registered."""

    employee_number: Text = Field(min_length=1, max_length=40)
    display_name: Text = Field(min_length=1, max_length=80)


class Volunteer(BaseModel):
    """A registered volunteer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    employee_number: str
    display_name: str


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
