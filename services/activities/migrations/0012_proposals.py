"""Take proposals, keep each version of them, and find those that are alike."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012_proposals"
down_revision = "0011_rounds"

STATES = (
    "state IN ('draft', 'submitted', 'in_review', 'changes_requested', 'approved', 'rejected', 'withdrawn', 'expired')"
)
MODES = "mode IN ('on_site', 'online', 'craft')"
INDEXES: dict[str, list[str | sa.TextClause]] = {
    "proposal_programme_id_id_idx": ["programme_id", "id"],
    "proposal_programme_id_submitted_at_id_idx": [
        "programme_id", sa.text("coalesce(submitted_at, 'infinity'::timestamptz)"), "id",
    ],
    "proposal_programme_id_state_id_idx": ["programme_id", "state", "id"],
    "proposal_programme_id_state_submitted_at_id_idx": [
        "programme_id", "state", sa.text("coalesce(submitted_at, 'infinity'::timestamptz)"), "id",
    ],
    "proposal_partner_id_id_idx": ["partner_id", "id"],
    "proposal_reviewer_id_id_idx": ["reviewer_id", "id"],
    "proposal_round_id_id_idx": ["round_id", "id"],
    "proposal_round_id_partner_id_state_idx": ["round_id", "partner_id", "state"],
}  # fmt: skip
PARTIAL = {
    "proposal_unpublished_idx": "state = 'approved' AND listing_id IS NULL",
    "proposal_with_partner_idx": "state IN ('draft', 'changes_requested')",
}
LISTING = {"mode": sa.Text(), "city": sa.Text(), "place": sa.Text(), "description": sa.Text()}


def upgrade() -> None:
    """Make the tables, and let a listing name its proposal."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("likeness", sa.Text(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("cloned_from", sa.Uuid(), nullable=True),
        sa.Column("submissions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("listing_id", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(STATES, name="proposal_state_check"),
        sa.CheckConstraint(MODES, name="proposal_mode_check"),
        sa.CheckConstraint(
            "submissions >= 0 AND (submissions = 0) = (submitted_at IS NULL)", name="proposal_submissions_check"
        ),
        sa.CheckConstraint(
            "submissions > 0 OR state IN ('draft', 'withdrawn', 'expired')", name="proposal_submitted_check"
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)", name="proposal_decided_check"
        ),
        sa.CheckConstraint("(state IN ('withdrawn', 'expired')) = (ended_at IS NOT NULL)", name="proposal_ended_check"),
        sa.CheckConstraint("state <> 'in_review' OR reviewer_id IS NOT NULL", name="proposal_reviewer_check"),
        sa.CheckConstraint("(listing_id IS NULL) = (published_at IS NULL)", name="proposal_published_check"),
        sa.CheckConstraint("listing_id IS NULL OR state = 'approved'", name="proposal_listing_check"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="proposal_partner_id_fkey"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="proposal_round_id_fkey"),
        sa.ForeignKeyConstraint(["cloned_from"], ["proposal.id"], name="proposal_cloned_from_fkey"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="proposal_listing_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="proposal_pkey"),
        sa.UniqueConstraint("round_id", "number", name="proposal_round_id_number_key"),
        sa.UniqueConstraint(
            "programme_id", "external_reference", name="proposal_programme_id_external_reference_key"
        ),
    )  # fmt: skip
    for name, columns in INDEXES.items():
        op.create_index(name, "proposal", columns)
    for name, where in PARTIAL.items():
        op.create_index(name, "proposal", ["round_id"], postgresql_where=sa.text(where))
    op.create_index(
        "proposal_likeness_idx", "proposal", ["likeness"], postgresql_using="gin",
        postgresql_ops={"likeness": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_table(
        "proposal_version",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("findings", JSONB(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("is_on_behalf", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name="proposal_version_number_check"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="proposal_version_proposal_id_fkey"),
        sa.PrimaryKeyConstraint("proposal_id", "number", name="proposal_version_pkey"),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proposal_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON proposal_version FROM popcandy_activities")
    op.add_column("listing", sa.Column("proposal_id", sa.Uuid(), nullable=True))
    for name, kind in LISTING.items():
        op.add_column("listing", sa.Column(name, kind, nullable=True))
    op.create_unique_constraint("listing_proposal_id_key", "listing", ["proposal_id"])
    op.create_check_constraint("listing_mode_check", "listing", MODES)


def downgrade() -> None:
    """Remove them; what came of a proposal stays a listing, without where and what it is."""
    op.drop_constraint("listing_mode_check", "listing")
    op.drop_constraint("listing_proposal_id_key", "listing")
    for name in ("proposal_id", *LISTING):
        op.drop_column("listing", name)
    op.drop_table("proposal_version")
    op.drop_table("proposal")
    op.execute("DROP EXTENSION pg_trgm")
