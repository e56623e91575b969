"""The bus's own tables, in each service's database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Identity, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Text, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES

metadata = MetaData(naming_convention=NAMES)


class Base(DeclarativeBase):
    """The base of the bus's rows; they stand in every service's database beside its own."""

    metadata = metadata
    type_annotation_map = COLUMN_TYPES


class Outbox(Base):
    """An event that was decided and is not yet known to the broker; the relay deletes it on the broker's confirm."""

    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    programme_id: Mapped[UUID]
    partition_key: Mapped[str]
    emitted_at: Mapped[datetime]
    traceparent: Mapped[str]
    body: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_try_at: Mapped[datetime | None]


class Inbox(Base):
    """An event that a handler has taken; written in the transaction of its effect, so that a repeat has none."""

    __tablename__ = "inbox"
    __table_args__ = (PrimaryKeyConstraint("event_id", "handler"),)

    event_id: Mapped[UUID]
    handler: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DeadLetter(Base):
    """A letter that could not be handled, kept whole with the reason."""

    __tablename__ = "dead_letter"
    __table_args__ = (UniqueConstraint("fingerprint"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    handler: Mapped[str | None]
    programme_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    type: Mapped[str | None]
    headers: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str]
    error: Mapped[str]
    stack: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    died_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
