"""Rows of scans."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class Scan(Base):
    """The code, by its step, with which a person came or left: what makes evidence `scanned`.

    `device_mark` is the same for all that one device scanned on this shift, and means nothing on any other. It stands
    until the shift is closed.
    """

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
    device_mark: Mapped[bytes | None] = mapped_column(info=PRIVATE)
