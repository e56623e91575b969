"""Rows of consents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer


class Consent(Base):
    """What a person decided about one purpose, after reading which text; the last of a purpose holds. Never changed."""

    __tablename__ = "consent"
    __table_args__ = (
        PrimaryKeyConstraint("volunteer_id", "purpose", "number"),
        CheckConstraint("decision IN ('given', 'withdrawn')", name="decision"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("number > 0 AND text_version > 0", name="number"),
        CheckConstraint("recorded_by = volunteer_id OR reason IS NOT NULL", name="on_behalf"),
    )

    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    purpose: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    programme_id: Mapped[UUID]
    decision: Mapped[str]
    text_version: Mapped[int] = mapped_column(Integer)
    text_digest: Mapped[str]
    language: Mapped[str]
    recorded_by: Mapped[UUID]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime]
