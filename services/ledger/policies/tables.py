"""Policy versions: what an hour of service is worth, and since when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, MetaData, func, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES


class Base(DeclarativeBase):
    """The base of every table of the ledger; the later aggregates take it from here."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class PolicyVersion(Base):
    """What an hour is worth when service starts within `effective` (half-open), once approved. Never edited."""

    __tablename__ = "policy_version"
    __table_args__ = (
        CheckConstraint("maker_id <> approver_id", name="two_people"),
        CheckConstraint("(approver_id IS NULL) = (approved_at IS NULL)", name="approval"),
        CheckConstraint(
            "NOT isempty(effective) AND lower(effective) IS NOT NULL "
            "AND lower_inc(effective) AND NOT upper_inc(effective)",
            name="half_open",
        ),
        CheckConstraint("fen_per_hour > 0", name="rate"),
        CheckConstraint("step_minutes >= 1", name="step"),
        CheckConstraint("min_minutes >= 0 AND max_minutes >= min_minutes AND max_minutes <= 1440", name="bounds"),
        ExcludeConstraint(
            ("programme_id", "="), ("effective", "&&"),
            name="policy_version_no_overlap", where=text("approver_id IS NOT NULL"),
        ),
        Index("policy_version_programme_id_id_idx", "programme_id", "id"),
        Index("policy_version_programme_id_proposed_at_id_idx", "programme_id", "proposed_at", "id"),
        Index(
            "policy_version_programme_id_approved_at_id_idx",
            "programme_id", text("coalesce(approved_at, 'infinity'::timestamptz)"), "id",
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    effective: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    fen_per_hour: Mapped[int]
    step_minutes: Mapped[int] = mapped_column(Integer)
    min_minutes: Mapped[int] = mapped_column(Integer)
    max_minutes: Mapped[int] = mapped_column(Integer)
    maker_id: Mapped[UUID]
    proposed_at: Mapped[datetime]
    approver_id: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
