"""Rows of proposals and of each version that was submitted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, PrimaryKeyConstraint, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.checklists.rules import Content
from services.activities.checklists.tables import ContentType
from services.activities.listings.tables import Listing
from services.activities.partners.tables import Partner
from services.activities.rounds.tables import Round
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE

STATES = (
    "state IN ('draft', 'submitted', 'in_review', 'changes_requested', 'approved', 'rejected', 'withdrawn', 'expired')"
)


class Proposal(Base):
    """What a partner proposes in a round, as it stands now. `number` counts within the round.

    `content` is what the partner works on; while it is with a reviewer it is the version submitted last. `likeness` is
    what duplicates are found by. `decided_at` is when it was approved or rejected, `ended_at` when it was given up.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        UniqueConstraint("programme_id", "external_reference"),
        CheckConstraint(STATES, name="state"),
        CheckConstraint("mode IN ('on_site', 'online', 'craft')", name="mode"),
        CheckConstraint("submissions >= 0 AND (submissions = 0) = (submitted_at IS NULL)", name="submissions"),
        CheckConstraint("submissions > 0 OR state IN ('draft', 'withdrawn', 'expired')", name="submitted"),
        CheckConstraint("(state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("(state IN ('withdrawn', 'expired')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("state <> 'in_review' OR reviewer_id IS NOT NULL", name="reviewer"),
        CheckConstraint("(listing_id IS NULL) = (published_at IS NULL)", name="published"),
        CheckConstraint("listing_id IS NULL OR state = 'approved'", name="listing"),
        Index("proposal_programme_id_id_idx", "programme_id", "id"),
        Index(
            "proposal_programme_id_submitted_at_id_idx",
            "programme_id", text("coalesce(submitted_at, 'infinity'::timestamptz)"), "id",
        ),
        Index("proposal_programme_id_state_id_idx", "programme_id", "state", "id"),
        Index(
            "proposal_programme_id_state_submitted_at_id_idx",
            "programme_id", "state", text("coalesce(submitted_at, 'infinity'::timestamptz)"), "id",
        ),
        Index("proposal_partner_id_id_idx", "partner_id", "id"),
        Index("proposal_reviewer_id_id_idx", "reviewer_id", "id"),
        Index("proposal_round_id_id_idx", "round_id", "id"),
        Index("proposal_round_id_partner_id_state_idx", "round_id", "partner_id", "state"),
        Index(
            "proposal_unpublished_idx", "round_id", postgresql_where=text("state = 'approved' AND listing_id IS NULL")
        ),
        Index(
            "proposal_with_partner_idx", "round_id", postgresql_where=text("state IN ('draft', 'changes_requested')")
        ),
        Index(
            "proposal_likeness_idx", "likeness", postgresql_using="gin", postgresql_ops={"likeness": "gin_trgm_ops"}
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    round_id: Mapped[UUID] = mapped_column(ForeignKey(Round.id))
    number: Mapped[int] = mapped_column(Integer)
    external_reference: Mapped[str | None]  # What a sheet calls it.
    state: Mapped[str]
    mode: Mapped[str]
    title: Mapped[str] = mapped_column(info=PRIVATE)
    likeness: Mapped[str] = mapped_column(info=PRIVATE)
    content: Mapped[Content] = mapped_column(ContentType, info=PRIVATE)
    series_id: Mapped[UUID]  # The first proposal of a series, which the others repeat; of one alone its own id.
    cloned_from: Mapped[UUID | None] = mapped_column(ForeignKey("proposal.id"))
    submissions: Mapped[int] = mapped_column(Integer, server_default="0")
    drafted_by: Mapped[UUID]
    drafted_at: Mapped[datetime]
    submitted_by: Mapped[UUID | None]
    submitted_at: Mapped[datetime | None]
    reviewer_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey(Listing.id))
    published_at: Mapped[datetime | None]


class ProposalVersion(Base):
    """What was submitted, by whom, and what the automatic checklist warned of. Kept for good, never changed."""

    __tablename__ = "proposal_version"
    __table_args__ = (
        PrimaryKeyConstraint("proposal_id", "number"),
        CheckConstraint("number > 0", name="number"),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey(Proposal.id))
    number: Mapped[int] = mapped_column(Integer)
    programme_id: Mapped[UUID]
    content: Mapped[Content] = mapped_column(ContentType, info=PRIVATE)
    findings: Mapped[list[list[str]]] = mapped_column(JSONB)  # Pairs of field and code.
    submitted_by: Mapped[UUID]
    is_on_behalf: Mapped[bool]  # An operator's, for the partner.
    submitted_at: Mapped[datetime]
