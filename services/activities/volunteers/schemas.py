"""What HTTP callers send and see of volunteers."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.web.fields import Items, Shown, Text


class NewVolunteer(BaseModel):
    """Who is to be registered."""

    model_config = ConfigDict(extra="forbid")

    employee_number: Text = Field(min_length=1, max_length=40)
    display_name: Text = Field(min_length=1, max_length=80)


class Volunteer(BaseModel):
    """A registered volunteer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    employee_number: Shown
    display_name: Shown


class Volunteers(BaseModel):
    """A page of volunteers; `next` continues the list, null at its end."""

    items: Items[Volunteer]
    next: UUID | None
