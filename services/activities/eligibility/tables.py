"""Rows of eligibility."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, func
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer


class Eligibility(Base):
    """That somebody said when a person is employed: who said so last, and why. `version` counts how often."""

    __tablename__ = "eligibility"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id), primary_key=True)
    programme_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class EligibleInterval(Base):
    """Dates of service on which a person's minutes may be matched, half-open; of one person no two share a date."""

    __tablename__ = "eligible_interval"
    __table_args__ = (
        ExcludeConstraint(("volunteer_id", "="), ("during", "&&"), name="eligible_interval_no_overlap"),
        CheckConstraint("NOT isempty(during)", name="dates"),
        Index("eligible_interval_volunteer_id_idx", "volunteer_id"),  # Of many people at once GiST is no help.
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Eligibility.volunteer_id))
    during: Mapped[Range[date]] = mapped_column(DATERANGE)
