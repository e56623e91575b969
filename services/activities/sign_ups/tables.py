"""Rows of sign-ups."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base, Volunteer


class SignUp(Base):
    """One person's place on one shift; one that was withdrawn is free for somebody else."""

    __tablename__ = "sign_up"
    __table_args__ = (
        UniqueConstraint("shift_id", "volunteer_id"),
        CheckConstraint("source IN ('self', 'import')", name="source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id), index=True)
    source: Mapped[str]
    signed_up_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
