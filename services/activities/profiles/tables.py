"""Rows of profiles."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE

WORDS = ARRAY(Text)


class Profile(Base):
    """What a volunteer is besides a number and a name; of who never said anything there is none.

    `department` comes from the personnel department's sheet, the rest from the person, an operator or the sheet.
    `skills` are codes of the catalogue, from which nothing is ever deleted. `version` counts the changes.
    """

    __tablename__ = "profile"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "char_length(department) BETWEEN 1 AND 80 AND char_length(city) BETWEEN 1 AND 80", name="texts"
        ),
        CheckConstraint("cardinality(languages) <= 10 AND cardinality(skills) <= 30", name="counts"),
    )

    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id), primary_key=True)
    programme_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    department: Mapped[str | None] = mapped_column(info=PRIVATE)
    city: Mapped[str | None] = mapped_column(info=PRIVATE)
    languages: Mapped[list[str]] = mapped_column(WORDS, info=PRIVATE)
    skills: Mapped[list[str]] = mapped_column(WORDS, info=PRIVATE)
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]
