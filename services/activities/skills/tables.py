"""Rows of the catalogue of skills."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base


class Skill(Base):
    """What somebody may be able to do, under a code that never changes. Never deleted: profiles name it by its code."""

    __tablename__ = "skill"
    __table_args__ = (
        UniqueConstraint("programme_id", "code"),
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    code: Mapped[str]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    retired_at: Mapped[datetime | None]
