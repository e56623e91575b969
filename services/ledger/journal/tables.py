"""The journal: double entry, append-only, integer fen. What the database can guard, it guards (see the migrations)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.ledger.policies.tables import Base


class Account(Base):
    """An account of the chart; finance maps it to the foundation's own (DOMAIN.md section 5)."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("code ~ '^[1-9][0-9]{3}$'", name="code"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    zh: Mapped[str]
    en: Mapped[str]


class Entry(Base):
    """One thing that happened to money: the header of its legs. At most one of each kind per version of its source."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("source_type", "source_id", "source_version", "kind"),
        UniqueConstraint("id", "leg_count"),  # What legs refer to: it bounds their line numbers for good.
        CheckConstraint("kind IN ('accrual', 'reversal')", name="kind"),
        CheckConstraint("source_type = 'attendance'", name="source_type"),
        CheckConstraint("(kind = 'reversal') = (reversal_of IS NOT NULL)", name="reversal"),
        CheckConstraint("reversal_of < id", name="later"),
        CheckConstraint("leg_count >= 2", name="leg_count"),
        CheckConstraint("currency = 'CNY'", name="currency"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str]
    source_type: Mapped[str]
    source_id: Mapped[UUID]
    source_version: Mapped[int] = mapped_column(Integer)
    reversal_of: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"), unique=True)
    leg_count: Mapped[int] = mapped_column(SmallInteger)
    effective_on: Mapped[date]
    posted_at: Mapped[datetime]
    currency: Mapped[str]


class Leg(Base):
    """One line of an entry: fen on one account, debits positive. It repeats `leg_count`, so that none can be added."""

    __tablename__ = "leg"
    __table_args__ = (
        PrimaryKeyConstraint("entry_id", "line"),
        ForeignKeyConstraint(
            ("entry_id", "leg_count"), ("entry.id", "entry.leg_count"), deferrable=True, initially="DEFERRED"
        ),
        CheckConstraint("line BETWEEN 1 AND leg_count", name="line"),
        CheckConstraint("fen <> 0", name="fen"),
    )

    entry_id: Mapped[UUID]
    line: Mapped[int] = mapped_column(SmallInteger)
    leg_count: Mapped[int] = mapped_column(SmallInteger)
    account: Mapped[str] = mapped_column(ForeignKey("account.code"))
    partner_id: Mapped[UUID]
    fen: Mapped[int]


class Balance(Base):
    """The sum of a partner's legs on one account; a roll-up, never the truth."""

    __tablename__ = "balance"
    __table_args__ = (PrimaryKeyConstraint("programme_id", "account", "partner_id"),)

    programme_id: Mapped[UUID]
    account: Mapped[str] = mapped_column(ForeignKey("account.code"))
    partner_id: Mapped[UUID]
    fen: Mapped[int]
