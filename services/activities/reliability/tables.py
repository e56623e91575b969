"""Rows of reliability: appeals. What became of places stands with the sign-ups; scores are computed, never kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Appeal(Base):
    """Somebody says why a fact should not count against them; whose it is, the sign-up says. Texts go with them."""

    __tablename__ = "reliability_appeal"
    __table_args__ = (
        UniqueConstraint("sign_up_id"),
        CheckConstraint(
            "(is_excused IS NULL) = (decided_by IS NULL) AND (is_excused IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index("reliability_appeal_programme_id_id_idx", "programme_id", "id"),
        Index("reliability_appeal_programme_id_appealed_at_id_idx", "programme_id", "appealed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    sign_up_id: Mapped[UUID] = mapped_column(ForeignKey(SignUp.id))
    note: Mapped[str | None] = mapped_column(info=PRIVATE)
    appealed_at: Mapped[datetime]
    is_excused: Mapped[bool | None] = mapped_column(Boolean)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    because: Mapped[str | None] = mapped_column(info=PRIVATE)
