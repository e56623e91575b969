"""What HTTP callers send and see of volunteers."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.activities.volunteers import queries
from shared.errors import Title
from shared.privacy.masking import mask
from shared.web.fields import Items, Shown, Text
from shared.web.lists import Listed


class NewVolunteer(BaseModel):
    """Who is to be registered."""

    model_config = ConfigDict(extra="forbid")

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
    employee_number: Shown
    display_name: Shown
    registered_at: AwareDatetime
    erased_at: AwareDatetime | None = None
    merged_into: UUID | None = Field(default=None, description="The record of the same person that this went into.")


class NamesWanted(BaseModel):
    """Whose names are to be shown; an id may be there twice."""

    ids: list[UUID] = Field(max_length=1_000)


class Names(BaseModel):
    """Display names by volunteer's id; whom the programme does not know is left out."""

    names: dict[UUID, Shown]


class FoundVolunteers(BaseModel):
    """Those of the numbers that are registered, in the order of the numbers."""

    items: Items[Volunteer]


def show_all(_tx: Session, rows: Sequence[Any], *, masked: bool) -> list[Volunteer]:
    """Show a page of volunteers, or a part of a file of them."""
    return [shown(row, masked=masked) for row in rows]


def shown(row: object, *, masked: bool) -> Volunteer:
    """Show a volunteer, to those who need not know who it is without the name and the number."""
    volunteer = Volunteer.model_validate(row)
    if not masked:
        return volunteer
    name, number = mask(volunteer.display_name), mask(volunteer.employee_number, shown=2)
    return volunteer.model_copy(update={"display_name": name, "employee_number": number})


VOLUNTEERS = Listed(
    queries.VOLUNTEERS,
    Volunteer,
    file="volunteers",
    title=Title(zh="志愿者", en="Volunteers"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "employee_number": Title(zh="员工编号", en="Employee number"),
        "display_name": Title(zh="姓名", en="Name"),
        "registered_at": Title(zh="登记时间", en="Registered at"),
        "erased_at": Title(zh="删除时间", en="Erased at"),
        "merged_into": Title(zh="并入的记录", en="Merged into"),
    },
)
