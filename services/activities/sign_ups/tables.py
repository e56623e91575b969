"""Rows of sign-ups."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE

STATES = (
    "state IN ('waitlisted', 'offered', 'confirmed', 'offer_expired', 'withdrawn', 'late_withdrawn', 'excused', "
    "'cancelled_by_host', 'attended', 'missed', 'no_show')"
)


class SignUp(Base):
    """How one person stands with one shift; its state changes under the shift's lock alone.

    The order of the line is `drawn_place` where there was a draw, then `signed_up_at`, then `id`. `ended_at` is when it
    was decided what became of it. `moves` counts how often its state has changed, last at `moved_at`.
    """

    __tablename__ = "sign_up"
    __table_args__ = (
        UniqueConstraint("shift_id", "volunteer_id"),
        CheckConstraint("source IN ('self', 'import', 'walk_in')", name="source"),
        CheckConstraint(STATES, name="state"),
        CheckConstraint("(state IN ('waitlisted', 'offered', 'confirmed')) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state = 'offered') = (offer_expires_at IS NOT NULL)", name="offer"),
        CheckConstraint("drawn_place > 0", name="drawn_place"),
        CheckConstraint("(moves = 0) = (moved_at IS NULL)", name="moves"),
        CheckConstraint("ended_because IS NULL OR ended_at IS NOT NULL", name="ended_because"),
        Index(
            "sign_up_shift_id_signed_up_at_id_idx",
            "shift_id", "signed_up_at", "id",
            postgresql_where=text("state = 'waitlisted'"),
        ),
        Index("sign_up_offer_expires_at_idx", "offer_expires_at", postgresql_where=text("state = 'offered'")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id), index=True)
    source: Mapped[str]
    signed_up_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="confirmed")
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(info=PRIVATE)
    offer_expires_at: Mapped[datetime | None]
    drawn_place: Mapped[int | None] = mapped_column(Integer)
    moves: Mapped[int] = mapped_column(Integer, server_default="0")
    moved_at: Mapped[datetime | None]
