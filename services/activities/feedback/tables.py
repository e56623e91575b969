"""Rows of feedback: the answer that stands, and every version that was."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class Feedback(Base):
    """What one side answered after one shift. `volunteer_id` is who answered, or whom a remark is about.

    `marks` can be counted; `texts` may name anybody, and are all that is removed when the person is erased.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("shift_id", "side", "volunteer_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("side IN ('volunteer', 'host', 'remark')", name="side"),
        CheckConstraint("(side = 'host') = (volunteer_id IS NULL)", name="volunteer_id"),
        CheckConstraint("version > 0 AND form_version >= 0", name="version"),
        Index("feedback_programme_id_id_idx", "programme_id", "id"),
        Index("feedback_programme_id_answered_at_id_idx", "programme_id", "answered_at", "id"),
        Index("feedback_programme_id_service_on_id_idx", "programme_id", "service_on", "id"),
        Index("feedback_partner_id_id_idx", "partner_id", "id"),
        Index("feedback_listing_id_id_idx", "listing_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    side: Mapped[str]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID | None] = mapped_column(ForeignKey(Volunteer.id), index=True)
    service_on: Mapped[date]
    version: Mapped[int] = mapped_column(Integer)
    form_version: Mapped[int] = mapped_column(Integer)
    marks: Mapped[dict[str, Any]] = mapped_column(JSONB, info=PRIVATE)
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB, info=PRIVATE)
    is_complaint: Mapped[bool]
    incident_id: Mapped[UUID | None]
    answered_by: Mapped[UUID]
    answered_at: Mapped[datetime]


class FeedbackVersion(Base):
    """An answer as it stood. Never changed, but that an erased person's texts are taken out."""

    __tablename__ = "feedback_version"
    __table_args__ = (PrimaryKeyConstraint("feedback_id", "version"),)

    feedback_id: Mapped[UUID] = mapped_column(ForeignKey(Feedback.id))
    version: Mapped[int] = mapped_column(Integer)
    form_version: Mapped[int] = mapped_column(Integer)
    marks: Mapped[dict[str, Any]] = mapped_column(JSONB, info=PRIVATE)
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB, info=PRIVATE)
    is_complaint: Mapped[bool]
    answered_by: Mapped[UUID]
    answered_at: Mapped[datetime]
