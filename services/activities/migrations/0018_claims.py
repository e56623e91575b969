"""Say of a shift since when its places are decided of, and keep claims for what was missed on it."""

import sqlalchemy as sa
from alembic import op

revision = "0018_claims"
down_revision = "0017_incidents"


def upgrade() -> None:
    """Make the table; shifts that ended before are closed by the timer, a batch at a time."""
    op.add_column("shift", sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("shift_unclosed_idx", "shift", ["ends_at"], postgresql_where=sa.text("concluded_at IS NULL"))
    op.create_table(
        "claim",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("sign_up_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("evidence_note", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("answer_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("objection", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("first_decided_by", sa.Uuid(), nullable=True),
        sa.Column("appealed_by", sa.Uuid(), nullable=True),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_words", sa.Text(), nullable=True),
        sa.Column("appeal_decided_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'objected') OR answered_by IS NOT NULL", name="claim_answered_check"
        ),
        sa.CheckConstraint("appeal_decided_by IS NULL OR appealed_at IS NOT NULL", name="claim_appeal_check"),
        sa.CheckConstraint(
            "cause IN ('phone', 'network', 'code_not_shown', 'forgotten', 'other')", name="claim_cause_check"
        ),
        sa.CheckConstraint("state NOT IN ('upheld', 'rejected') OR decided_by IS NOT NULL", name="claim_decided_check"),
        sa.CheckConstraint("(decided_by IS NULL) = (decision_reason IS NULL)", name="claim_decision_reason_check"),
        sa.CheckConstraint("kind IN ('no_check_in', 'no_check_out')", name="claim_kind_check"),
        sa.CheckConstraint("review IN ('unanswered', 'objected', 'gate', 'appeal')", name="claim_review_check"),
        sa.CheckConstraint("side IN ('volunteer', 'partner')", name="claim_side_check"),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'objected', 'upheld', 'rejected', 'expired')", name="claim_state_check"
        ),
        sa.CheckConstraint("decide_until >= answer_until AND answer_until > claimed_at", name="claim_terms_check"),
        sa.CheckConstraint("checked_out_at > checked_in_at", name="claim_times_check"),
        sa.CheckConstraint("answered_by <> claimed_by", name="claim_two_keys_check"),
        sa.CheckConstraint("appeal_decided_by <> first_decided_by", name="claim_two_reviewers_check"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="claim_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="claim_partner_id_fkey"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="claim_shift_id_fkey"),
        sa.ForeignKeyConstraint(["sign_up_id"], ["sign_up.id"], name="claim_sign_up_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="claim_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="claim_pkey"),
        sa.UniqueConstraint("sign_up_id", name="claim_sign_up_id_key"),
    )
    op.create_index("claim_programme_id_id_idx", "claim", ["programme_id", "id"])
    op.create_index("claim_programme_id_decide_until_id_idx", "claim", ["programme_id", "decide_until", "id"])
    op.create_index("claim_partner_id_id_idx", "claim", ["partner_id", "id"])
    op.create_index("claim_volunteer_id_id_idx", "claim", ["volunteer_id", "id"])
    op.create_index("claim_shift_id_idx", "claim", ["shift_id"])
    op.create_index(
        "claim_answer_until_idx", "claim", ["answer_until"],
        postgresql_where=sa.text("state = 'open' AND review IS NULL"),
    )  # fmt: skip
    op.create_index(
        "claim_decide_until_idx", "claim", ["decide_until"],
        postgresql_where=sa.text("review IN ('unanswered', 'objected', 'gate')"),
    )  # fmt: skip


def downgrade() -> None:
    """Remove them; what was decided of places, and settled by claims, stays."""
    op.drop_table("claim")
    op.drop_index("shift_unclosed_idx", "shift")
    op.drop_column("shift", "concluded_at")
