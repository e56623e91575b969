"""Rows of wrong codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base, Volunteer


class CodeAttempt(Base):
    """How often a person has given a wrong code for a shift lately; kept apart from what the refusal rolls back."""

    __tablename__ = "code_attempt"
    __table_args__ = (PrimaryKeyConstraint("shift_id", "volunteer_id"),)

    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    failed: Mapped[int] = mapped_column(Integer)
    last_failed_at: Mapped[datetime]
