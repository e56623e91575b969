"""Rows of what lost kits have cost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.kits.tables import Kit
from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class KitCost(Base):
    """What a partner claims for one kit, for good. `ceiling_fen` is what was agreed; all amounts are in fen.

    `approved_fen` stays where the kit was found afterwards. Reasons are emptied when the kit's person is erased.
    """

    __tablename__ = "kit_cost"
    __table_args__ = (
        UniqueConstraint("kit_id"),
        CheckConstraint("state IN ('claimed', 'approved', 'refused', 'cancelled')", name="state"),
        CheckConstraint("amount_fen BETWEEN 1 AND ceiling_fen", name="amount"),
        CheckConstraint("approved_fen BETWEEN 1 AND amount_fen", name="approved"),
        CheckConstraint("state <> 'approved' OR approved_fen IS NOT NULL", name="approved_state"),
        CheckConstraint("state NOT IN ('claimed', 'refused') OR approved_fen IS NULL", name="not_approved"),
        CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by IS NOT NULL", name="decided"),
        CheckConstraint("decided_by <> claimed_by", name="two_people"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        Index("kit_cost_programme_id_id_idx", "programme_id", "id"),
        Index("kit_cost_partner_id_id_idx", "partner_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    kit_id: Mapped[UUID] = mapped_column(ForeignKey(Kit.id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    state: Mapped[str] = mapped_column(server_default="claimed")
    ceiling_fen: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    approved_fen: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(info=PRIVATE)
    evidence_note: Mapped[str] = mapped_column(info=PRIVATE)
    claimed_by: Mapped[UUID]
    claimed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(info=PRIVATE)
    cancelled_at: Mapped[datetime | None]
