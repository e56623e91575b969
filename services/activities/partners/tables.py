"""Rows of what is known of partners: copied facts.

What came of a partner's standing and of its pauses has rows of its own without a key to `partner`: a fact may be heard
before the one that makes the partner known.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base


class Partner(Base):
    """A nonprofit that may publish, as far as activities must know it. Its life belongs to the partners service.

    `agreement_version` is 0 until the partners service has told of an agreement; before, an operator notes the partner,
    whose agreement then begins with `since` and has no known end.
    """

    __tablename__ = "partner"
    __table_args__ = (
        UniqueConstraint("programme_id", "reference"),
        CheckConstraint("agreement IN ('signed', 'carried_over')", name="agreement"),
        CheckConstraint("agreement_until > agreement_from", name="agreement_dates"),
        CheckConstraint("monthly_commitment >= 0", name="monthly_commitment"),
        CheckConstraint("agreement_version >= 0", name="agreement_version"),
        CheckConstraint("agreement_version = 0 OR agreement_from IS NOT NULL", name="told"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    reference: Mapped[str]
    name: Mapped[str]
    agreement: Mapped[str]
    since: Mapped[date]
    agreement_from: Mapped[date | None]
    agreement_until: Mapped[date | None]
    monthly_commitment: Mapped[int | None] = mapped_column(Integer)
    agreement_version: Mapped[int] = mapped_column(Integer, server_default="0")


class PartnerStanding(Base):
    """Where a partner stands, as last told; who has no row stands well. A later version is the later word."""

    __tablename__ = "partner_standing"
    __table_args__ = (
        CheckConstraint("standing IN ('good', 'notice', 'warning', 'suspended', 'exited')", name="standing"),
        CheckConstraint("weekly_quota >= 0", name="weekly_quota"),
        CheckConstraint("version > 0", name="version"),
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    standing: Mapped[str]
    weekly_quota: Mapped[int | None] = mapped_column(Integer)  # None: as many as the partner wants.
    cause: Mapped[str | None]  # A code; its words are in the partners service.
    effective_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer)


class PartnerPause(Base):
    """When a partner rests, as last told: from the first day, before the other, which may be open; or not at all."""

    __tablename__ = "partner_pause"
    __table_args__ = (
        CheckConstraint("paused_until IS NULL OR coalesce(paused_until > paused_from, false)", name="dates"),
        CheckConstraint("version > 0", name="version"),
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    paused_from: Mapped[date | None]
    paused_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(Integer)
