"""Rows of attendance: what is true now, and every version that was."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base, Volunteer

EVIDENCE = "evidence IN ('scanned', 'attested', 'claimed', 'manual')"


class Attendance(Base):
    """One person on one shift. `version` is 0 until the service is settled; then each change is one more.

    `started_at` and `ended_at` are the whole minutes that count: clipped to the shift, before what another attendance
    of the same person already covers is taken off. `agreed_minutes` is what may be matched at most of work that is
    handed in: 0 until it is accepted; None of other work.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("shift_id", "volunteer_id"),
        CheckConstraint("state IN ('checked_in', 'settled', 'voided')", name="state"),
        CheckConstraint("(state = 'checked_in') = (version = 0)", name="version"),
        CheckConstraint("state = 'checked_in' OR (ended_at >= started_at AND evidence IS NOT NULL)", name="settled"),
        CheckConstraint("matchable_minutes BETWEEN 0 AND service_minutes", name="minutes"),
        CheckConstraint("agreed_minutes >= 0 AND matchable_minutes <= agreed_minutes", name="agreed_minutes"),
        CheckConstraint(EVIDENCE, name="evidence"),
        Index(
            "attendance_volunteer_id_started_at_idx",
            "volunteer_id",
            "started_at",
            postgresql_where=text("state = 'settled'"),
        ),
        Index("attendance_programme_id_id_idx", "programme_id", "id"),
        Index("attendance_programme_id_service_on_id_idx", "programme_id", "service_on", "id"),
        Index("attendance_programme_id_checked_in_at_id_idx", "programme_id", "checked_in_at", "id"),
        Index("attendance_partner_id_id_idx", "partner_id", "id"),
        Index("attendance_listing_id_id_idx", "listing_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    service_on: Mapped[date]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
    service_minutes: Mapped[int] = mapped_column(Integer, server_default="0")
    matchable_minutes: Mapped[int] = mapped_column(Integer, server_default="0")
    agreed_minutes: Mapped[int | None] = mapped_column(Integer)


class AttendanceVersion(Base):
    """What was settled, revised or voided, by whom and why. Never changed.

    `written_in` is the number of the transaction that wrote it: instants say nothing of the order of commits.
    """

    __tablename__ = "attendance_version"
    __table_args__ = (
        PrimaryKeyConstraint("attendance_id", "version"),
        CheckConstraint("kind IN ('settled', 'revised', 'voided')", name="kind"),
        CheckConstraint(EVIDENCE, name="evidence"),
        Index("attendance_version_written_in_idx", "written_in", postgresql_using="brin"),
    )

    attendance_id: Mapped[UUID] = mapped_column(ForeignKey(Attendance.id))
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    evidence: Mapped[str]
    service_minutes: Mapped[int] = mapped_column(Integer)
    matchable_minutes: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    decided_by: Mapped[UUID]
    decided_at: Mapped[datetime]
    written_in: Mapped[int] = mapped_column(BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint"))
