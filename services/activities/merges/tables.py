"""Rows of merges."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer


class Merge(Base):
    """That one person has two records, as somebody proposes; another approves, and `merged_id` goes into `kept_id`."""

    __tablename__ = "merge"
    __table_args__ = (
        CheckConstraint("kept_id <> merged_id", name="two_records"),
        CheckConstraint("outcome IN ('approved', 'declined')", name="outcome"),
        CheckConstraint("outcome = 'declined' OR decider_id <> maker_id", name="two_people"),
        CheckConstraint(
            "(outcome IS NULL) = (decider_id IS NULL) AND (outcome IS NULL) = (decided_at IS NULL)", name="decided"
        ),
        CheckConstraint("(declined_because IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'declined')", name="declined"),
        Index(
            "merge_merged_id_key",
            "merged_id",
            unique=True,
            postgresql_where=text("outcome IS DISTINCT FROM 'declined'"),
        ),
        Index("merge_kept_id_idx", "kept_id"),
        Index("merge_programme_id_id_idx", "programme_id", "id"),
        Index("merge_programme_id_proposed_at_id_idx", "programme_id", "proposed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    kept_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    reason: Mapped[str]
    maker_id: Mapped[UUID]
    proposed_at: Mapped[datetime]
    outcome: Mapped[str | None]
    decider_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    declined_because: Mapped[str | None]
