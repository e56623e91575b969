"""Donations: what each version of each attendance came to, and why."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.ledger.policies.tables import Base

_CURRENT = text("superseded_at IS NULL")
_ADDS_UP = (
    "matchable_minutes = credited_minutes + below_minimum_minutes + above_ceiling_minutes + step_rounding_minutes"
)


class Donation(Base):
    """What one version of an attendance is worth; `id` is kept over corrections. Only `superseded_at` ever changes."""

    __tablename__ = "donation"
    __table_args__ = (
        PrimaryKeyConstraint("id", "version"),
        UniqueConstraint("attendance_id", "version"),
        Index("donation_current_key", "attendance_id", unique=True, postgresql_where=_CURRENT),
        Index("donation_programme_idx", "programme_id", "id", postgresql_where=_CURRENT),
        Index("donation_partner_idx", "partner_id", "id", postgresql_where=_CURRENT),
        Index("donation_partner_service_idx", "partner_id", "service_on", "id", postgresql_where=_CURRENT),
        Index("donation_partner_amount_idx", "partner_id", "fen", "id", postgresql_where=_CURRENT),
        Index("donation_listing_idx", "listing_id", "id", postgresql_where=_CURRENT),
        Index("donation_shift_idx", "shift_id", "id", postgresql_where=_CURRENT),
        Index("donation_volunteer_idx", "volunteer_id", "id", postgresql_where=_CURRENT),
        Index("donation_service_idx", "programme_id", "service_on", "id", postgresql_where=_CURRENT),
        Index("donation_amount_idx", "programme_id", "fen", "id", postgresql_where=_CURRENT),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("state IN ('settled', 'revised', 'voided')", name="state"),
        CheckConstraint("recorded_minutes >= matchable_minutes AND credited_minutes >= 0 AND fen >= 0", name="bounds"),
        CheckConstraint(
            "below_minimum_minutes >= 0 AND above_ceiling_minutes >= 0 AND step_rounding_minutes >= 0", name="drops"
        ),
        CheckConstraint(_ADDS_UP, name="adds_up"),
        CheckConstraint("(state = 'voided') = (policy_version_id IS NULL)", name="policy"),
        CheckConstraint("state <> 'voided' OR recorded_minutes = 0", name="voided"),
        CheckConstraint("(fen = 0) = (entry_id IS NULL)", name="entry"),
    )

    id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    attendance_id: Mapped[UUID]
    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    listing_id: Mapped[UUID]
    shift_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    started_at: Mapped[datetime]
    service_on: Mapped[date]
    evidence: Mapped[str]
    recorded_minutes: Mapped[int] = mapped_column(Integer)
    matchable_minutes: Mapped[int] = mapped_column(Integer)
    below_minimum_minutes: Mapped[int] = mapped_column(Integer)
    above_ceiling_minutes: Mapped[int] = mapped_column(Integer)
    step_rounding_minutes: Mapped[int] = mapped_column(Integer)
    credited_minutes: Mapped[int] = mapped_column(Integer)
    fen: Mapped[int]
    policy_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("policy_version.id"))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"))
    decided_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class PartnerTotal(Base):
    """The sum of a partner's standing donations for service in one month, or in all; a roll-up, never the truth.

    PostgreSQL also checks what a batch adds, which is negative where it corrects: what holds for that is checked.
    """

    __tablename__ = "partner_total"
    __table_args__ = (
        UniqueConstraint("programme_id", "service_month", "partner_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("EXTRACT(day FROM service_month) = 1", name="first_day"),
        CheckConstraint(_ADDS_UP, name="adds_up"),
    )

    __mapper_args__ = {"primary_key": ("programme_id", "service_month", "partner_id")}  # noqa: RUF012  SQLAlchemy's.

    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    service_month: Mapped[date | None]
    participations: Mapped[int]
    recorded_minutes: Mapped[int]
    matchable_minutes: Mapped[int]
    below_minimum_minutes: Mapped[int]
    above_ceiling_minutes: Mapped[int]
    step_rounding_minutes: Mapped[int]
    credited_minutes: Mapped[int]
    fen: Mapped[int]


SUMMED = (  # What is added up of donations; each counts as one participation, unless it is voided.
    "participations", "recorded_minutes", "matchable_minutes", "below_minimum_minutes", "above_ceiling_minutes",
    "step_rounding_minutes", "credited_minutes", "fen",
)  # fmt: skip
