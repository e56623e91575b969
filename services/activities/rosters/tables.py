"""Rows of what a partner records of who was there beside those who had a place."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base, Volunteer


class WalkIn(Base):
    """An employee without a place who was there, as the partner says; the volunteer has the second key."""

    __tablename__ = "walk_in"
    __table_args__ = (
        UniqueConstraint("shift_id", "volunteer_id"),
        CheckConstraint("state IN ('recorded', 'confirmed', 'declined')", name="state"),
        CheckConstraint("(state = 'recorded') = (answered_at IS NULL)", name="answered"),
        CheckConstraint("checked_out_at > checked_in_at", name="times"),
        CheckConstraint("recorded_by <> volunteer_id", name="two_keys"),
        Index("walk_in_programme_id_id_idx", "programme_id", "id"),
        Index("walk_in_partner_id_id_idx", "partner_id", "id"),
        Index("walk_in_volunteer_id_id_idx", "volunteer_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="recorded")
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class GuestCount(Base):
    """How many people were there who are no volunteers: a number, never matched."""

    __tablename__ = "guest_count"
    __table_args__ = (CheckConstraint("guests >= 0", name="guests"),)

    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id), primary_key=True)
    guests: Mapped[int] = mapped_column(Integer)
    counted_by: Mapped[UUID]
    counted_at: Mapped[datetime]
