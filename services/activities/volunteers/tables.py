"""Rows of volunteers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, MetaData, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES


class Base(DeclarativeBase):
    """The base of the rows of all of activities."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class Volunteer(Base):
    """An employee who may serve. The only place in Popcandy where this person's name stands."""

    __tablename__ = "volunteer"
    __table_args__ = (
        UniqueConstraint("programme_id", "employee_number"),
        Index("volunteer_programme_id_id_idx", "programme_id", "id"),
        Index("volunteer_programme_id_registered_at_id_idx", "programme_id", "registered_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    employee_number: Mapped[str]
    display_name: Mapped[str]
    registered_at: Mapped[datetime]
