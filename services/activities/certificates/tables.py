"""Rows of certificates, of who issues them, and of how many there are."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class CertificateIssuer(Base):
    """Who issues a programme's certificates, as these show it; `prefix` begins their numbers, which are unique."""

    __tablename__ = "certificate_issuer"
    __table_args__ = (CheckConstraint("prefix ~ '^[A-Z][A-Z0-9]{1,7}$'", name="prefix"),)

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    prefix: Mapped[str] = mapped_column(unique=True)
    zh: Mapped[str]
    en: Mapped[str]
    contact: Mapped[str] = mapped_column(info=PRIVATE)
    timezone: Mapped[str]


class CertificateCount(Base):
    """How many certificates a programme has issued in a year; locked by who issues the next."""

    __tablename__ = "certificate_count"
    __table_args__ = (PrimaryKeyConstraint("programme_id", "year"),)

    programme_id: Mapped[UUID]
    year: Mapped[int] = mapped_column(Integer)
    issued: Mapped[int] = mapped_column(Integer)


class Certificate(Base):
    """What was certified of somebody's service in [service_from, service_until), signed.

    `content` is all that it shows, the name among it; it goes when the person is erased, and the rest can still be
    checked.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("state IN ('valid', 'superseded', 'revoked')", name="state"),
        CheckConstraint("(state = 'valid') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state = 'revoked') = (revoked_because IS NOT NULL)", name="revoked_because"),
        CheckConstraint("service_until > service_from AND total_minutes > 0", name="period"),
        Index("certificate_programme_id_id_idx", "programme_id", "id"),
        Index("certificate_programme_id_issued_at_id_idx", "programme_id", "issued_at", "id"),
        Index("certificate_programme_id_number_id_idx", "programme_id", "number", "id"),
        Index(
            "certificate_volunteer_id_period_idx", "volunteer_id", "service_from", "service_until",
            unique=True, postgresql_where=text("state = 'valid'"),
        ),
        Index("certificate_volunteer_id_id_idx", "volunteer_id", "id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    version: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(unique=True)
    service_from: Mapped[date]
    service_until: Mapped[date]
    services: Mapped[int] = mapped_column(Integer)
    total_minutes: Mapped[int] = mapped_column(Integer)
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=PRIVATE)
    state: Mapped[str]
    issued_on: Mapped[date]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]
