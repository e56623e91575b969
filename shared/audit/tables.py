"""Rows of the audit trail; they stand in every service's database beside its own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, MetaData, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES


class Base(DeclarativeBase):
    """The base of the trail's rows."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class AuditEntry(Base):
    """One unsafe call that was carried out, or access that was denied. Never changed.

    `things` are the ids that the call was addressed to or has changed, for looking entries up; `changes` says from what
    to what, and `counts` how many of each kind. `at` is the programme's clock, the id's time the server's.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'denied')", name="outcome"),
        CheckConstraint("(outcome = 'denied') = (refusal IS NOT NULL)", name="refusal"),
        CheckConstraint("repeats >= 0", name="repeats"),
        Index("audit_entry_programme_id_id_idx", "programme_id", "id"),
        Index("audit_entry_programme_id_at_id_idx", "programme_id", "at", "id"),
        Index("audit_entry_programme_id_person_id_at_id_idx", "programme_id", "person_id", "at", "id"),
        Index("audit_entry_things_idx", "things", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    at: Mapped[datetime]
    programme_id: Mapped[UUID]
    person_id: Mapped[UUID]
    service: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    operation: Mapped[str]
    outcome: Mapped[str]
    refusal: Mapped[str | None]
    repeats: Mapped[int] = mapped_column(Integer, server_default="0")
    thing: Mapped[str | None]
    thing_id: Mapped[str | None]
    things: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str | None]
    trace_id: Mapped[str | None]
