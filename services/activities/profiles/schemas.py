"""What HTTP callers send and see of profiles."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.profiles.rules import MOST_CHARACTERS, MOST_LANGUAGES, MOST_SKILLS
from services.activities.profiles.tables import Profile as Row
from services.activities.volunteers.tables import Volunteer
from shared.web.fields import Items, Reason, Shown, Text

Code = Annotated[Text, Field(min_length=1, max_length=40)]


class ProfileWish(BaseModel):
    """What a profile is to say; all of it, for what is left out is empty from then on."""

    model_config = ConfigDict(extra="forbid")

    city: Annotated[Text, Field(min_length=1, max_length=MOST_CHARACTERS)] | None = None
    languages: list[Code] = Field(default=[], max_length=MOST_LANGUAGES, description="Codes: zh, en, yue.")
    skills: list[Code] = Field(default=[], max_length=MOST_SKILLS, description="Codes of the programme's catalogue.")


class ProfileWishOfAnother(ProfileWish):
    """What somebody else's profile is to say, and why it is not they who change it."""

    reason: Reason = Field(description="What the person asked for, and where that is kept; without their name.")


class Profile(BaseModel):
    """A volunteer with their profile; number, name and department come from the personnel department."""

    model_config = ConfigDict(from_attributes=True)

    volunteer_id: UUID
    employee_number: Shown
    display_name: Shown
    department: Shown | None
    city: Shown | None
    languages: Items[Shown]
    skills: Items[Shown]
    changed_at: AwareDatetime | None


def shown(volunteer: Volunteer, row: Row) -> Profile:
    """Show a volunteer with their profile."""
    return Profile(
        volunteer_id=volunteer.id,
        employee_number=volunteer.employee_number,
        display_name=volunteer.display_name,
        department=row.department,
        city=row.city,
        languages=row.languages,
        skills=row.skills,
        changed_at=row.changed_at,
    )
