"""Record what reviewers decide about proposals, and what is said about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0013_reviews"
down_revision = "0012_proposals"

APPEND_ONLY = ("proposal_decision", "proposal_comment")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "proposal_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("requests", JSONB(), nullable=False),
        sa.Column("handbook_version", sa.Integer(), nullable=True),
        sa.Column("answers", JSONB(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision IN ('changes_requested', 'approved', 'rejected')", name="proposal_decision_decision_check"
        ),
        sa.CheckConstraint(
            "(decision = 'rejected') = (cardinality(reasons) > 0)", name="proposal_decision_reasons_check"
        ),
        sa.CheckConstraint(
            "(handbook_version IS NULL) = (answers IS NULL)", name="proposal_decision_handbook_check"
        ),
        sa.CheckConstraint("decision <> 'approved' OR answers IS NOT NULL", name="proposal_decision_approved_check"),
        sa.CheckConstraint("decided_at >= submitted_at", name="proposal_decision_times_check"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="proposal_decision_proposal_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="proposal_decision_pkey"),
    )  # fmt: skip
    op.create_index("proposal_decision_proposal_id_id_idx", "proposal_decision", ["proposal_id", "id"])
    op.create_index(
        "proposal_decision_submission_key", "proposal_decision", ["proposal_id", "submission"], unique=True
    )  # fmt: skip
    op.create_table(
        "proposal_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('partner', 'operator')", name="proposal_comment_side_check"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="proposal_comment_proposal_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="proposal_comment_pkey"),
    )
    op.create_index("proposal_comment_proposal_id_id_idx", "proposal_comment", ["proposal_id", "id"])
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM popcandy_activities")


def downgrade() -> None:
    """Remove them with what they hold."""
    op.drop_table("proposal_comment")
    op.drop_table("proposal_decision")
