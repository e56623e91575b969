"""Rows of partners (a copied fact), listings and their shifts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Partner(Base):
    """A nonprofit that may publish, as far as activities must know it. Its life belongs to the partners service."""

    __tablename__ = "partner"
    __table_args__ = (
        UniqueConstraint("programme_id", "reference"),
        CheckConstraint("agreement IN ('signed', 'carried_over')", name="agreement"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    reference: Mapped[str]
    name: Mapped[str]
    agreement: Mapped[str]
    since: Mapped[date]


class Listing(Base):
    """A published activity."""

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("programme_id", "reference"),
        Index("listing_programme_id_id_idx", "programme_id", "id"),
        Index("listing_programme_id_published_at_id_idx", "programme_id", "published_at", "id"),
        Index("listing_programme_id_reference_id_idx", "programme_id", "reference", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id), index=True)
    reference: Mapped[str]
    title: Mapped[str]
    timezone: Mapped[str]
    published_at: Mapped[datetime]


class Shift(Base):
    """One occasion of a listing. `taken` counts confirmed places; `service_on` is the local date of its start."""

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("listing_id", "number"),
        CheckConstraint("ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'", name="duration"),
        CheckConstraint("state IN ('open', 'running', 'held', 'cancelled')", name="state"),
        CheckConstraint("(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled_because"),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("taken >= 0", name="taken"),
        Index("shift_programme_id_service_on_idx", "programme_id", "service_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    number: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    service_on: Mapped[date]
    capacity: Mapped[int] = mapped_column(Integer)
    taken: Mapped[int] = mapped_column(Integer, server_default="0")
    code_secret: Mapped[str] = mapped_column(info=PRIVATE)
    state: Mapped[str] = mapped_column(server_default="open")
    cancelled_because: Mapped[str | None]
