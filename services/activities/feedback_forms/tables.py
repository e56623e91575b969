"""Rows of the forms that were published."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base


class FeedbackForm(Base):
    """One version of what one side is asked in a programme; the highest is asked now. Never changed."""

    __tablename__ = "feedback_form"
    __table_args__ = (
        PrimaryKeyConstraint("programme_id", "side", "version"),
        CheckConstraint("side IN ('volunteer', 'host', 'remark')", name="side"),
        CheckConstraint("version > 0", name="version"),
    )

    programme_id: Mapped[UUID]
    side: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_by: Mapped[UUID | None]  # Nobody published the version that ships.
    published_at: Mapped[datetime | None]
