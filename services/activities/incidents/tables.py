"""Rows of incidents and of what is noted of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, PrimaryKeyConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Incident(Base):
    """Something that a person has to look into. It knows what it is about by id alone, whatever that is.

    `details` are the words of who opened it, emptied when that person is erased. `dedupe_key` is of what a rule of ours
    finds: the same thing found again opens nothing.
    """

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('fraud_signal', 'complaint', 'safety', 'accident', 'data', 'other')", name="kind"
        ),
        CheckConstraint("state IN ('open', 'in_progress', 'resolved', 'dismissed')", name="state"),
        CheckConstraint("opened_side IN ('staff', 'partner', 'volunteer', 'system')", name="opened_side"),
        CheckConstraint("(opened_side = 'system') = (opened_by IS NULL)", name="opened_by"),
        CheckConstraint("(opened_side = 'system') = (dedupe_key IS NOT NULL)", name="dedupe_key"),
        CheckConstraint("state = 'open' OR owner_id IS NOT NULL", name="owner_id"),
        CheckConstraint(
            "(state IN ('resolved', 'dismissed')) = (closed_at IS NOT NULL AND closed_by IS NOT NULL "
            "AND resolution IS NOT NULL)",
            name="closed",
        ),
        Index(
            "incident_programme_id_dedupe_key_key", "programme_id", "dedupe_key", unique=True,
            postgresql_where=text("dedupe_key IS NOT NULL"),
        ),
        Index("incident_programme_id_id_idx", "programme_id", "id"),
        Index("incident_programme_id_deadline_at_id_idx", "programme_id", "deadline_at", "id"),
        Index("incident_partner_id_id_idx", "partner_id", "id"),
        Index("incident_volunteer_id_idx", "volunteer_id", postgresql_where=text("volunteer_id IS NOT NULL")),
        Index("incident_opened_by_id_idx", "opened_by", "id", postgresql_where=text("opened_by IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    kind: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    shift_id: Mapped[UUID | None]
    listing_id: Mapped[UUID | None]
    partner_id: Mapped[UUID | None]
    volunteer_id: Mapped[UUID | None]
    details: Mapped[str] = mapped_column(info=PRIVATE)
    state: Mapped[str] = mapped_column(server_default="open")
    opened_side: Mapped[str]
    opened_by: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    dedupe_key: Mapped[str | None]
    deadline_at: Mapped[datetime]
    owner_id: Mapped[UUID | None]
    shared_at: Mapped[datetime | None]  # Since then the partner sees it.
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    resolution: Mapped[str | None]


class IncidentNote(Base):
    """What was found out or done about an incident. Never changed; seen by staff alone."""

    __tablename__ = "incident_note"
    __table_args__ = (PrimaryKeyConstraint("incident_id", "number"),)

    incident_id: Mapped[UUID] = mapped_column(ForeignKey(Incident.id))
    number: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(info=PRIVATE)
    written_by: Mapped[UUID]
    written_at: Mapped[datetime]
