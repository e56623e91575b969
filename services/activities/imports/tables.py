"""Rows of imports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Import(Base):
    """A sheet that was read and judged; its good rows wait in `staged` until it is committed, whole."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("kind IN ('volunteers', 'shifts', 'attendance')", name="kind"),
        CheckConstraint(
            "(committed_at IS NULL) = (added IS NULL) AND (added IS NULL) = (unchanged IS NULL)", name="committed"
        ),
        CheckConstraint("(committed_at IS NULL) = (staged IS NOT NULL)", name="staged"),
        CheckConstraint("(rejected = 0) = (reject_file IS NULL)", name="reject_file"),
        Index("import_programme_id_id_idx", "programme_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    kind: Mapped[str]
    file_name: Mapped[str] = mapped_column(info=PRIVATE)  # People put names into it.
    good: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, info=PRIVATE)  # What was found in cells.
    staged_by: Mapped[UUID]
    staged_at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
    added: Mapped[int | None] = mapped_column(Integer)
    unchanged: Mapped[int | None] = mapped_column(Integer)
    staged: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    reject_file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
