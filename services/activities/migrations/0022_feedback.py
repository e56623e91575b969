"""Ask for feedback: forms by version, answers, and every version of an answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022_feedback"
down_revision = "0021_merges_reliability"

SIDES = "side IN ('volunteer', 'host', 'remark')"
INDEXES = {
    "feedback_programme_id_id_idx": ["programme_id", "id"],
    "feedback_programme_id_answered_at_id_idx": ["programme_id", "answered_at", "id"],
    "feedback_programme_id_service_on_id_idx": ["programme_id", "service_on", "id"],
    "feedback_partner_id_id_idx": ["partner_id", "id"],
    "feedback_listing_id_id_idx": ["listing_id", "id"],
    "feedback_volunteer_id_idx": ["volunteer_id"],
}


def _answered() -> list[sa.Column[object]]:
    """Return what an answer and each of its versions have."""
    return [
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("marks", JSONB(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("is_complaint", sa.Boolean(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    """Make the tables; forms that were published are never changed."""
    op.create_table(
        "feedback_form",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(SIDES, name="feedback_form_side_check"),
        sa.CheckConstraint("version > 0", name="feedback_form_version_check"),
        sa.PrimaryKeyConstraint("programme_id", "side", "version", name="feedback_form_pkey"),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON feedback_form "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON feedback_form FROM popcandy_activities")
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=True),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        *_answered(),
        sa.CheckConstraint(SIDES, name="feedback_side_check"),
        sa.CheckConstraint("(side = 'host') = (volunteer_id IS NULL)", name="feedback_volunteer_id_check"),
        sa.CheckConstraint("version > 0 AND form_version >= 0", name="feedback_version_check"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="feedback_shift_id_fkey"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="feedback_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="feedback_partner_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="feedback_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="feedback_pkey"),
        sa.UniqueConstraint(
            "shift_id", "side", "volunteer_id", name="feedback_shift_id_side_volunteer_id_key",
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    for name, columns in INDEXES.items():
        op.create_index(name, "feedback", columns)
    op.create_table(
        "feedback_version",
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        *_answered(),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], name="feedback_version_feedback_id_fkey"),
        sa.PrimaryKeyConstraint("feedback_id", "version", name="feedback_version_pkey"),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("feedback_version", "feedback", "feedback_form"):
        op.drop_table(table)
