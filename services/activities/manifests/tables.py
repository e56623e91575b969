"""Rows of day manifests, and of how far each programme's attendance is counted."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base


class DayManifest(Base):
    """What one service date of a programme came to, with the hash of its attendances. Never changed.

    A day that differs later (a late claim, a correction) gets another version. How `sha256` is made: decision 0063.
    """

    __tablename__ = "day_manifest"
    __table_args__ = (
        UniqueConstraint("programme_id", "service_on", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("attendances >= 0 AND voided >= 0", name="counts"),
        CheckConstraint("matchable_minutes BETWEEN 0 AND service_minutes", name="minutes"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        Index("day_manifest_programme_id_id_idx", "programme_id", "id"),
        Index("day_manifest_programme_id_service_on_id_idx", "programme_id", "service_on", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    service_on: Mapped[date]
    version: Mapped[int] = mapped_column(Integer)
    attendances: Mapped[int] = mapped_column(Integer)
    voided: Mapped[int] = mapped_column(Integer)
    service_minutes: Mapped[int] = mapped_column(BigInteger)
    matchable_minutes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    made_at: Mapped[datetime]


class ManifestRun(Base):
    """Which night a programme's days were counted last, and from which transaction on something may be new since."""

    __tablename__ = "manifest_run"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    night: Mapped[date | None]
    seen_until: Mapped[int] = mapped_column(BigInteger, server_default="0")
