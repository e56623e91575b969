"""Rows of listings and their shifts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class Listing(Base):
    """A published activity. What came of a proposal names it, and says where the work is done and what it is.

    Work that is handed in has `criteria` by which a piece is accepted, and the minutes that were agreed for one.
    `skills` are what some position on it asks for: codes where the catalogue knew them, else the partner's own words.
    """

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("programme_id", "reference"),
        UniqueConstraint("proposal_id"),
        CheckConstraint("mode IN ('on_site', 'online', 'craft')", name="mode"),
        CheckConstraint("state IN ('published', 'closed', 'cancelled')", name="state"),
        CheckConstraint("(state = 'published') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled_because"),
        CheckConstraint("(criteria IS NULL) = (minutes_per_piece IS NULL)", name="terms"),
        CheckConstraint("minutes_per_piece > 0", name="minutes_per_piece"),
        Index("listing_programme_id_id_idx", "programme_id", "id"),
        Index("listing_programme_id_published_at_id_idx", "programme_id", "published_at", "id"),
        Index("listing_programme_id_reference_id_idx", "programme_id", "reference", "id"),
        Index("listing_skills_idx", "skills", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id), index=True)
    reference: Mapped[str]
    title: Mapped[str]
    timezone: Mapped[str]
    published_at: Mapped[datetime]
    proposal_id: Mapped[UUID | None]  # No key to `proposal`, which stands later: its row names this one.
    mode: Mapped[str | None]
    city: Mapped[str | None]
    place: Mapped[str | None]
    description: Mapped[str | None]
    criteria: Mapped[str | None]
    minutes_per_piece: Mapped[int | None] = mapped_column(Integer)
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    state: Mapped[str] = mapped_column(server_default="published")
    ended_at: Mapped[datetime | None]
    cancelled_because: Mapped[str | None]


class ListingWords(Base):
    """What a listing is found by, made of its texts and of what its partner is called (`words.rules`).

    `version` says by which rules: 0 until somebody has looked up how its Chinese is read.
    """

    __tablename__ = "listing_words"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        Index("listing_words_words_idx", "words", postgresql_using="gin"),
    )

    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id), primary_key=True)
    programme_id: Mapped[UUID]
    partner_name: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    words: Mapped[str] = mapped_column(TSVECTOR)


class Shift(Base):
    """One occasion of a listing. `service_on` is the local date of its start.

    `taken` counts the places that nobody else can have: those that are had, and those that are kept for somebody.
    While it `awaits_draw`, whoever signs up stands in the line.
    `closed_at` is since when nobody new may sign up. `short_at` and `decision_asked_at` are when it was told, of the
    times that are planned now, that people are missing, and that somebody should decide whether it happens.
    `revision` counts how often it was moved or called off, last at `revised_at`: calendars go by them.
    `minutes_per_piece` is its listing's: what is handed in counts by piece. `owed_at` is since when each place on it
    owes that.
    """

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("listing_id", "number"),
        CheckConstraint("ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'", name="duration"),
        CheckConstraint("state IN ('open', 'go', 'no_go', 'running', 'held', 'not_run', 'cancelled')", name="state"),
        CheckConstraint(
            "(state IN ('no_go', 'not_run', 'cancelled')) = (cancelled_because IS NOT NULL)", name="cancelled_because"
        ),
        CheckConstraint("(state = 'not_run') = (not_run IS NOT NULL)", name="not_run"),
        CheckConstraint(
            "not_run IN ('nobody_came', 'too_few', 'weather', 'venue', 'host_unable', 'force_majeure', 'other')",
            name="not_run_code",
        ),
        CheckConstraint("minimum BETWEEN 1 AND capacity", name="minimum"),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("taken >= 0", name="taken"),
        CheckConstraint("(revision = 0) = (revised_at IS NULL)", name="revision"),
        Index("shift_programme_id_service_on_idx", "programme_id", "service_on"),
        Index("shift_unclosed_idx", "ends_at", postgresql_where=text("concluded_at IS NULL")),
        Index(
            "shift_unowed_idx", "ends_at",
            postgresql_where=text("minutes_per_piece IS NOT NULL AND owed_at IS NULL"),
        ),
        Index("shift_programme_id_id_idx", "programme_id", "id"),
        Index("shift_programme_id_starts_at_id_idx", "programme_id", "starts_at", "id"),
        Index("shift_partner_id_starts_at_id_idx", "partner_id", "starts_at", "id"),
        Index("shift_starts_at_idx", "starts_at", postgresql_where=text("state = 'open'")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    number: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    service_on: Mapped[date]
    capacity: Mapped[int] = mapped_column(Integer)
    minimum: Mapped[int] = mapped_column(Integer, server_default="1")
    taken: Mapped[int] = mapped_column(Integer, server_default="0")
    awaits_draw: Mapped[bool] = mapped_column(server_default="false")
    minutes_per_piece: Mapped[int | None] = mapped_column(Integer)
    code_secret: Mapped[str] = mapped_column(info=PRIVATE)
    state: Mapped[str] = mapped_column(server_default="open")
    cancelled_because: Mapped[str | None]
    concluded_at: Mapped[datetime | None]  # Since then it is decided of each place who was there and who was missed.
    owed_at: Mapped[datetime | None]
    not_run: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    rescheduled_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(Integer, server_default="0")
    revised_at: Mapped[datetime | None]
    short_at: Mapped[datetime | None]
    decision_asked_at: Mapped[datetime | None]
