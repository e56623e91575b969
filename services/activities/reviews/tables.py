"""Rows of decisions about proposals, and of what is said about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from services.activities.proposals.tables import Proposal
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class ProposalDecision(Base):
    """What a reviewer decided about one version, with the handbook's checklist as it was then. Never changed.

    `requests` are pairs of a field and what is to change there; `answers` are (item, mark, remark).
    """

    __tablename__ = "proposal_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('changes_requested', 'approved', 'rejected')", name="decision"),
        CheckConstraint("(decision = 'rejected') = (cardinality(reasons) > 0)", name="reasons"),
        CheckConstraint("(handbook_version IS NULL) = (answers IS NULL)", name="handbook"),
        CheckConstraint("decision <> 'approved' OR answers IS NOT NULL", name="approved"),
        CheckConstraint("decided_at >= submitted_at", name="times"),
        Index("proposal_decision_proposal_id_id_idx", "proposal_id", "id"),
        Index(
            "proposal_decision_submission_key", "proposal_id", "submission", unique=True
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey(Proposal.id))
    submission: Mapped[int] = mapped_column(Integer)
    decision: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    note: Mapped[str] = mapped_column(info=PRIVATE)
    requests: Mapped[list[list[str]]] = mapped_column(JSONB, info=PRIVATE)
    handbook_version: Mapped[int | None] = mapped_column(Integer)
    answers: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True), info=PRIVATE)
    submitted_at: Mapped[datetime]
    decided_by: Mapped[UUID]
    decided_at: Mapped[datetime]


class ProposalComment(Base):
    """What the partner's and the operator's side say to each other about a proposal. Never changed."""

    __tablename__ = "proposal_comment"
    __table_args__ = (
        CheckConstraint("side IN ('partner', 'operator')", name="side"),
        Index("proposal_comment_proposal_id_id_idx", "proposal_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey(Proposal.id))
    submission: Mapped[int] = mapped_column(Integer)  # The last version when it was said; 0 before any.
    side: Mapped[str]
    body: Mapped[str] = mapped_column(info=PRIVATE)
    written_by: Mapped[UUID]
    written_at: Mapped[datetime]
