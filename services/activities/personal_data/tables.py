"""Rows about what was done with the data of a person as a whole."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer


class Access(Base):
    """Who took out all that is known of a person, or erased the person, when and why. Never changed."""

    __tablename__ = "personal_data_access"
    __table_args__ = (
        CheckConstraint("kind IN ('export', 'erasure')", name="kind"),
        CheckConstraint("accessed_by = volunteer_id OR reason IS NOT NULL", name="on_behalf"),
        Index("personal_data_access_volunteer_id_id_idx", "volunteer_id", "id"),
        Index(
            "personal_data_access_erasure_key", "volunteer_id", unique=True, postgresql_where=text("kind = 'erasure'")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    kind: Mapped[str]
    accessed_by: Mapped[UUID]
    reason: Mapped[str | None]
    accessed_at: Mapped[datetime]
