"""Rows of deliverables: the work that a place owes, and each time that it was handed in."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class Deliverable(Base):
    """The work that one place owes, by the terms of its shift when that ended.

    `waits_until` is until when, excluded, its state lasts by itself: then it is overdue, abandoned, or accepted by
    silence; None once it has ended. `decided_by` is None where it was the partner's silence.
    """

    __tablename__ = "deliverable"
    __table_args__ = (
        UniqueConstraint("sign_up_id"),
        CheckConstraint(
            "state IN ('due', 'submitted', 'revision_requested', 'accepted', 'partially_accepted', 'rejected', "
            "'overdue', 'abandoned', 'released')",
            name="state",
        ),
        CheckConstraint("minutes_per_piece > 0", name="minutes_per_piece"),
        CheckConstraint("revisions BETWEEN 0 AND 2 AND submissions BETWEEN 0 AND 3", name="counts"),
        CheckConstraint("(submissions = 0) = (pieces IS NULL)", name="pieces"),
        CheckConstraint(
            "state NOT IN ('submitted', 'revision_requested', 'accepted', 'partially_accepted', 'rejected') "
            "OR submissions > 0",
            name="handed_in",
        ),
        CheckConstraint(
            "(state IN ('due', 'submitted', 'revision_requested', 'overdue')) = (waits_until IS NOT NULL)",
            name="waits_until",
        ),
        CheckConstraint(
            "(state IN ('accepted', 'partially_accepted', 'rejected')) = (decided_at IS NOT NULL)", name="decided"
        ),
        CheckConstraint(
            "CASE state WHEN 'accepted' THEN accepted_pieces IS NOT NULL AND accepted_pieces = pieces "
            "WHEN 'partially_accepted' THEN accepted_pieces IS NOT NULL AND accepted_pieces BETWEEN 1 AND pieces - 1 "
            "ELSE accepted_pieces IS NULL END",
            name="accepted_pieces",
        ),
        CheckConstraint("NOT is_by_silence OR (state = 'accepted' AND decided_by IS NULL)", name="silence"),
        CheckConstraint("decided_at IS NULL OR is_by_silence OR decided_by IS NOT NULL", name="decided_by"),
        CheckConstraint("decided_by <> volunteer_id", name="two_keys"),
        Index("deliverable_programme_id_id_idx", "programme_id", "id"),
        Index("deliverable_programme_id_due_until_id_idx", "programme_id", "due_until", "id"),
        Index("deliverable_partner_id_id_idx", "partner_id", "id"),
        Index("deliverable_volunteer_id_id_idx", "volunteer_id", "id"),
        Index("deliverable_shift_id_idx", "shift_id"),
        Index("deliverable_waits_until_idx", "waits_until", postgresql_where=text("waits_until IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    sign_up_id: Mapped[UUID] = mapped_column(ForeignKey(SignUp.id))
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    service_on: Mapped[date]
    minutes_per_piece: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default="due")
    due_until: Mapped[datetime]
    waits_until: Mapped[datetime | None]
    submissions: Mapped[int] = mapped_column(Integer, server_default="0")
    revisions: Mapped[int] = mapped_column(Integer, server_default="0")
    pieces: Mapped[int | None] = mapped_column(Integer)  # Of the last submission.
    accepted_pieces: Mapped[int | None] = mapped_column(Integer)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    is_by_silence: Mapped[bool] = mapped_column(server_default="false")


class Submission(Base):
    """What was handed in at one time, and what the partner said of it. Never changed, but emptied when the person is.

    `digest` is of the pieces, the note and the files: who sends in the same again is told so.
    """

    __tablename__ = "deliverable_submission"
    __table_args__ = (
        UniqueConstraint("deliverable_id", "number"),
        CheckConstraint("number BETWEEN 1 AND 3 AND pieces > 0", name="numbers"),
        CheckConstraint(
            "answer IN ('revision_requested', 'accepted', 'partially_accepted', 'rejected')", name="answer"
        ),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        Index("deliverable_submission_volunteer_id_idx", "volunteer_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    deliverable_id: Mapped[UUID] = mapped_column(ForeignKey(Deliverable.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    number: Mapped[int] = mapped_column(Integer)
    pieces: Mapped[int] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(info=PRIVATE)
    digest: Mapped[bytes | None]
    submitted_at: Mapped[datetime]
    answer: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(info=PRIVATE)
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
