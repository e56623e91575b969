"""Keep kits: what was agreed of them, where each is, where it goes, and what a lost one has cost."""

import sqlalchemy as sa
from alembic import op

revision = "0025_kits"
down_revision = "0024_deliverables"

_STATES = "state IN ('issued', 'shipped', 'received', 'returned', 'overdue', 'lost', 'cancelled')"


def upgrade() -> None:
    """Make the tables; activities that are published already have no kit."""
    op.create_table(
        "kit_terms",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("contents", sa.Text(), nullable=False),
        sa.Column("ceiling_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("ceiling_fen >= 0 AND due_days > 0", name="kit_terms_amounts_check"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="kit_terms_listing_id_fkey"),
        sa.PrimaryKeyConstraint("listing_id", name="kit_terms_pkey"),
    )
    _kit()
    _rest()


def _kit() -> None:
    op.create_table(
        "kit",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("sign_up_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="issued", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("shipped_by", sa.Uuid(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_note", sa.Text(), nullable=True),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lose_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_by", sa.Uuid(), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_because", sa.Text(), nullable=True),
        sa.Column("returned_by", sa.Uuid(), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("return_note", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_because", sa.Text(), nullable=True),
        sa.Column("cleared_by", sa.Uuid(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_because", sa.Text(), nullable=True),
        sa.CheckConstraint(_STATES, name="kit_state_check"),
        sa.CheckConstraint(
            "cancelled_because IN ('place_gone', 'not_shipped', 'by_host')", name="kit_cancelled_because_check"
        ),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="kit_cancelled_check"
        ),
        sa.CheckConstraint("(state = 'returned') = (pieces IS NOT NULL)", name="kit_returned_check"),
        sa.CheckConstraint(
            "(state IN ('issued', 'cancelled')) = (shipped_at IS NULL)", name="kit_shipped_check"
        ),
        sa.CheckConstraint("state <> 'received' OR received_at IS NOT NULL", name="kit_received_check"),
        sa.CheckConstraint("(overdue_at IS NULL) = (lose_at IS NULL)", name="kit_lose_at_check"),
        sa.CheckConstraint(
            "state NOT IN ('overdue', 'lost') OR overdue_at IS NOT NULL", name="kit_overdue_check"
        ),
        sa.CheckConstraint("state <> 'lost' OR lost_at IS NOT NULL", name="kit_lost_check"),
        sa.CheckConstraint("(cleared_at IS NULL) = (cleared_by IS NULL)", name="kit_cleared_check"),
        sa.CheckConstraint("pieces >= 0", name="kit_pieces_check"),
        sa.ForeignKeyConstraint(["sign_up_id"], ["sign_up.id"], name="kit_sign_up_id_fkey"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="kit_shift_id_fkey"),
        sa.ForeignKeyConstraint(["listing_id"], ["kit_terms.listing_id"], name="kit_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="kit_partner_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="kit_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="kit_pkey"),
    )  # fmt: skip
    op.create_index(
        "kit_sign_up_id_key", "kit", ["sign_up_id"], unique=True, postgresql_where=sa.text("state <> 'cancelled'")
    )
    op.create_index("kit_programme_id_id_idx", "kit", ["programme_id", "id"])
    op.create_index("kit_programme_id_due_at_id_idx", "kit", ["programme_id", "due_at", "id"])
    op.create_index("kit_partner_id_id_idx", "kit", ["partner_id", "id"])
    op.create_index("kit_volunteer_id_id_idx", "kit", ["volunteer_id", "id"])
    op.create_index("kit_shift_id_idx", "kit", ["shift_id"])
    under_way = sa.text("state IN ('issued', 'shipped', 'received')")
    op.create_index("kit_due_at_idx", "kit", ["due_at"], postgresql_where=under_way)
    op.create_index("kit_lose_at_idx", "kit", ["lose_at"], postgresql_where=sa.text("state = 'overdue'"))


def _rest() -> None:
    op.create_table(
        "kit_address",
        sa.Column("kit_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("postal_address", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name="kit_address_kit_id_fkey"),
        sa.PrimaryKeyConstraint("kit_id", name="kit_address_pkey"),
    )
    op.create_table(
        "kit_cost",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kit_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="claimed", nullable=False),
        sa.Column("ceiling_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_note", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('claimed', 'approved', 'refused', 'cancelled')", name="kit_cost_state_check"),
        sa.CheckConstraint("amount_fen BETWEEN 1 AND ceiling_fen", name="kit_cost_amount_check"),
        sa.CheckConstraint("approved_fen BETWEEN 1 AND amount_fen", name="kit_cost_approved_check"),
        sa.CheckConstraint("state <> 'approved' OR approved_fen IS NOT NULL", name="kit_cost_approved_state_check"),
        sa.CheckConstraint(
            "state NOT IN ('claimed', 'refused') OR approved_fen IS NULL", name="kit_cost_not_approved_check"
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'refused') OR decided_by IS NOT NULL", name="kit_cost_decided_check"
        ),
        sa.CheckConstraint("decided_by <> claimed_by", name="kit_cost_two_people_check"),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="kit_cost_cancelled_check"),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name="kit_cost_kit_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="kit_cost_partner_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="kit_cost_pkey"),
        sa.UniqueConstraint("kit_id", name="kit_cost_kit_id_key"),
    )
    op.create_index("kit_cost_programme_id_id_idx", "kit_cost", ["programme_id", "id"])
    op.create_index("kit_cost_partner_id_id_idx", "kit_cost", ["partner_id", "id"])


def downgrade() -> None:
    """Remove them, addresses with them."""
    for table in ("kit_cost", "kit_address", "kit", "kit_terms"):
        op.drop_table(table)
