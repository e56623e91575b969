"""Rows of claims."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class Claim(Base):
    """What somebody says of a missed check-in or check-out, and what became of that. One for a place, for good.

    `review` says why it waits for a reviewer, None if it does not. `words`, `evidence_note`, `objection` and
    `appeal_words` are emptied when the person is erased.
    """

    __tablename__ = "claim"
    __table_args__ = (
        UniqueConstraint("sign_up_id"),
        CheckConstraint("kind IN ('no_check_in', 'no_check_out')", name="kind"),
        CheckConstraint("side IN ('volunteer', 'partner')", name="side"),
        CheckConstraint("cause IN ('phone', 'network', 'code_not_shown', 'forgotten', 'other')", name="cause"),
        CheckConstraint("state IN ('open', 'confirmed', 'objected', 'upheld', 'rejected', 'expired')", name="state"),
        CheckConstraint("review IN ('unanswered', 'objected', 'gate', 'appeal')", name="review"),
        CheckConstraint("checked_out_at > checked_in_at", name="times"),
        CheckConstraint("decide_until >= answer_until AND answer_until > claimed_at", name="terms"),
        CheckConstraint("state NOT IN ('confirmed', 'objected') OR answered_by IS NOT NULL", name="answered"),
        CheckConstraint("answered_by <> claimed_by", name="two_keys"),
        CheckConstraint("state NOT IN ('upheld', 'rejected') OR decided_by IS NOT NULL", name="decided"),
        CheckConstraint("(decided_by IS NULL) = (decision_reason IS NULL)", name="decision_reason"),
        CheckConstraint("appeal_decided_by IS NULL OR appealed_at IS NOT NULL", name="appeal"),
        CheckConstraint("appeal_decided_by <> first_decided_by", name="two_reviewers"),
        Index("claim_programme_id_id_idx", "programme_id", "id"),
        Index("claim_programme_id_decide_until_id_idx", "programme_id", "decide_until", "id"),
        Index("claim_partner_id_id_idx", "partner_id", "id"),
        Index("claim_volunteer_id_id_idx", "volunteer_id", "id"),
        Index("claim_shift_id_idx", "shift_id"),
        Index(
            "claim_answer_until_idx", "answer_until",
            postgresql_where=text("state = 'open' AND review IS NULL"),
        ),
        Index(
            "claim_decide_until_idx", "decide_until",
            postgresql_where=text("review IN ('unanswered', 'objected', 'gate')"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    sign_up_id: Mapped[UUID] = mapped_column(ForeignKey(SignUp.id))
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    service_on: Mapped[date]
    kind: Mapped[str]
    side: Mapped[str]
    claimed_by: Mapped[UUID]
    claimed_at: Mapped[datetime]
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime]
    cause: Mapped[str]
    words: Mapped[str] = mapped_column(info=PRIVATE)
    evidence_note: Mapped[str | None] = mapped_column(info=PRIVATE)
    state: Mapped[str] = mapped_column(server_default="open")
    review: Mapped[str | None]
    answer_until: Mapped[datetime]
    decide_until: Mapped[datetime]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    objection: Mapped[str | None] = mapped_column(info=PRIVATE)
    decided_by: Mapped[UUID | None]  # The last reviewer.
    decided_at: Mapped[datetime | None]  # Or when it expired.
    decision_reason: Mapped[str | None]
    first_decided_by: Mapped[UUID | None]
    appealed_by: Mapped[UUID | None]
    appealed_at: Mapped[datetime | None]
    appeal_words: Mapped[str | None] = mapped_column(info=PRIVATE)
    appeal_decided_by: Mapped[UUID | None]
