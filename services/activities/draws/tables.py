"""Rows of draws."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Draw(Base):
    """How the places of one shift are drawn. The seed is told when it is done; its hash before."""

    __tablename__ = "draw"
    __table_args__ = (
        CheckConstraint("(drawn_at IS NULL) = (entries IS NULL)", name="drawn"),
        CheckConstraint("seed ~ '^[0-9a-f]{64}$' AND commitment ~ '^[0-9a-f]{64}$'", name="hexadecimal"),
        Index("draw_draws_at_idx", "draws_at", postgresql_where=text("drawn_at IS NULL")),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id), primary_key=True)
    draws_at: Mapped[datetime]
    commitment: Mapped[str]
    seed: Mapped[str] = mapped_column(info=PRIVATE)
    drawn_at: Mapped[datetime | None]
    entries: Mapped[int | None] = mapped_column(Integer)
