"""Rows of volunteers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.audit.trail import PRIVATE
from shared.database.base import COLUMN_TYPES, NAMES


class Base(DeclarativeBase):
    """The base of the rows of all of activities."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class Volunteer(Base):
    """An employee who may serve. The only place in Popcandy where this person's name stands.

    One that was merged into another record of the same person is left as a pointer: nothing can be done as it.
    Of somebody who was erased there are pseudonyms; `employee_number` is then longer than any door accepts.
    """

    __tablename__ = "volunteer"
    __table_args__ = (
        UniqueConstraint("programme_id", "employee_number"),
        CheckConstraint("merged_into <> id", name="merged"),
        CheckConstraint("(merged_into IS NULL) = (merged_at IS NULL)", name="merged_at"),
        CheckConstraint("(erased_at IS NULL) = (employee_number NOT LIKE 'erased:%')", name="erased"),
        Index("volunteer_merged_into_idx", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("volunteer_programme_id_id_idx", "programme_id", "id"),
        Index("volunteer_programme_id_registered_at_id_idx", "programme_id", "registered_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    employee_number: Mapped[str] = mapped_column(info=PRIVATE)
    display_name: Mapped[str] = mapped_column(info=PRIVATE)
    registered_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("volunteer.id"))
    merged_at: Mapped[datetime | None]


class SuppressedNumber(Base):
    """The keyed digest of an erased person's employee number: without it the next list would bring the person back."""

    __tablename__ = "suppressed_number"
    __table_args__ = (PrimaryKeyConstraint("programme_id", "digest"),)

    programme_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str]
    erased_at: Mapped[datetime] = mapped_column(index=True)
