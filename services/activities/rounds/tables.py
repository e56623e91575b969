"""Rows of rounds and of the calendars that they are made from."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.volunteers.tables import Base


class RoundCalendar(Base):
    """When a programme's weekly rounds are: weekdays (1 is Monday) and times in its zone, each after the one before."""

    __tablename__ = "round_calendar"
    __table_args__ = (
        CheckConstraint(
            "opens_weekday BETWEEN 1 AND 7 AND closes_weekday BETWEEN 1 AND 7 AND review_weekday BETWEEN 1 AND 7 "
            "AND publish_weekday BETWEEN 1 AND 7",
            name="weekdays",
        ),
        CheckConstraint("weeks_ahead BETWEEN 1 AND 12", name="weeks_ahead"),
        CheckConstraint("target >= 0", name="target"),
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    timezone: Mapped[str]
    opens_weekday: Mapped[int] = mapped_column(Integer)
    opens_time: Mapped[time]
    closes_weekday: Mapped[int] = mapped_column(Integer)
    closes_time: Mapped[time]
    review_weekday: Mapped[int] = mapped_column(Integer)
    review_time: Mapped[time]
    publish_weekday: Mapped[int] = mapped_column(Integer)
    publish_time: Mapped[time]
    weeks_ahead: Mapped[int] = mapped_column(Integer)
    target: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime]  # When it was set as it is; it makes nothing that opens before.


class Round(Base):
    """A week's call for proposals, open within [opens_at, closes_at). At most one of a programme is open at a time.

    `week_on` is the Monday of the week for which the calendar made it; an operator's own has none.
    """

    __tablename__ = "round"
    __table_args__ = (
        UniqueConstraint("programme_id", "number"),
        UniqueConstraint("programme_id", "week_on"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("opens_at < closes_at AND closes_at <= review_by AND review_by <= publish_at", name="times"),
        CheckConstraint("target >= 0", name="target"),
        CheckConstraint("state IN ('planned', 'open', 'closed', 'published', 'cancelled')", name="state"),
        CheckConstraint("(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled_because"),
        ExcludeConstraint(
            ("programme_id", "="), (text("tstzrange(opens_at, closes_at)"), "&&"),
            name="round_no_overlap", where=text("state <> 'cancelled'"),
        ),
        Index("round_programme_id_id_idx", "programme_id", "id"),
        Index("round_programme_id_opens_at_id_idx", "programme_id", "opens_at", "id"),
        Index("round_due_idx", "opens_at", postgresql_where=text("state IN ('planned', 'open', 'closed')")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(Integer)
    week_on: Mapped[date | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    review_by: Mapped[datetime]
    publish_at: Mapped[datetime]
    target: Mapped[int] = mapped_column(Integer)  # How many activities the week needs.
    state: Mapped[str] = mapped_column(server_default="planned")
    moved_because: Mapped[str | None]  # The last reason that was given for other times.
    cancelled_because: Mapped[str | None]
