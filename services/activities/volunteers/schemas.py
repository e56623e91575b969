"""What HTTP callers send and see of volunteers."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.volunteers import queries
from shared.errors import Title
from shared.web.fields import Text
from shared.web.lists import Listed

MOST_SEARCHED = 200


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
    registered_at: AwareDatetime


class VolunteerSearch(BaseModel):
    """Whose records are wanted; the numbers are personal, so they stand in no address."""

    model_config = ConfigDict(extra="forbid")

    employee_numbers: list[Annotated[Text, Field(min_length=1, max_length=40)]] = Field(
        min_length=1, max_length=MOST_SEARCHED
    )


class FoundVolunteers(BaseModel):
    """Those who are registered, by employee number; numbers that nobody has are left out."""

    items: list[Volunteer]


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
    },
)
