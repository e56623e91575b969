"""Rows of scans."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base, Volunteer


class Scan(Base):
    """The code, by its step, with which a person came or left: what makes evidence `scanned`."""

    __tablename__ = "scan"
    __table_args__ = (
        PrimaryKeyConstraint("shift_id", "volunteer_id", "way"),
        CheckConstraint("way IN ('in', 'out')", name="way"),
        Index("scan_scanned_at_idx", "scanned_at", postgresql_using="brin"),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    way: Mapped[str]
    step: Mapped[int]
    scanned_at: Mapped[datetime]
