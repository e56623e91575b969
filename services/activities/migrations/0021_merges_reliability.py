"""Let two records of one person become one, once two people say so; let people appeal against what counts of them."""

import sqlalchemy as sa
from alembic import op

revision = "0021_merges_reliability"
down_revision = "0020_profiles"


def upgrade() -> None:
    """Make the table, and let a record point to another; nobody deletes a merge."""
    op.add_column("volunteer", sa.Column("merged_into", sa.Uuid()))
    op.add_column("volunteer", sa.Column("merged_at", sa.DateTime(timezone=True)))
    op.create_foreign_key("volunteer_merged_into_fkey", "volunteer", "volunteer", ["merged_into"], ["id"])
    op.create_check_constraint("volunteer_merged_check", "volunteer", "merged_into <> id")
    op.create_check_constraint("volunteer_merged_at_check", "volunteer", "(merged_into IS NULL) = (merged_at IS NULL)")
    op.create_index(
        "volunteer_merged_into_idx", "volunteer", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL")
    )
    op.create_table(
        "merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("decider_id", sa.Uuid()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("declined_because", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="merge_pkey"),
        sa.ForeignKeyConstraint(["kept_id"], ["volunteer.id"], name="merge_kept_id_fkey"),
        sa.ForeignKeyConstraint(["merged_id"], ["volunteer.id"], name="merge_merged_id_fkey"),
        sa.CheckConstraint("kept_id <> merged_id", name="merge_two_records_check"),
        sa.CheckConstraint("outcome IN ('approved', 'declined')", name="merge_outcome_check"),
        sa.CheckConstraint("outcome = 'declined' OR decider_id <> maker_id", name="merge_two_people_check"),
        sa.CheckConstraint(
            "(outcome IS NULL) = (decider_id IS NULL) AND (outcome IS NULL) = (decided_at IS NULL)",
            name="merge_decided_check",
        ),
        sa.CheckConstraint(
            "(declined_because IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'declined')", name="merge_declined_check"
        ),
    )
    op.create_index(
        "merge_merged_id_key", "merge", ["merged_id"], unique=True,
        postgresql_where=sa.text("outcome IS DISTINCT FROM 'declined'"),
    )  # fmt: skip
    op.create_index("merge_kept_id_idx", "merge", ["kept_id"])
    op.create_index("merge_programme_id_id_idx", "merge", ["programme_id", "id"])
    op.create_index("merge_programme_id_proposed_at_id_idx", "merge", ["programme_id", "proposed_at", "id"])
    op.execute("REVOKE DELETE, TRUNCATE ON merge FROM popcandy_activities")
    _make_appeals()


def _make_appeals() -> None:
    op.create_table(
        "reliability_appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("sign_up_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_excused", sa.Boolean()),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("because", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="reliability_appeal_pkey"),
        sa.UniqueConstraint("sign_up_id", name="reliability_appeal_sign_up_id_key"),
        sa.ForeignKeyConstraint(["sign_up_id"], ["sign_up.id"], name="reliability_appeal_sign_up_id_fkey"),
        sa.CheckConstraint(
            "(is_excused IS NULL) = (decided_by IS NULL) AND (is_excused IS NULL) = (decided_at IS NULL)",
            name="reliability_appeal_decided_check",
        ),
    )
    op.create_index("reliability_appeal_programme_id_id_idx", "reliability_appeal", ["programme_id", "id"])
    op.create_index(
        "reliability_appeal_programme_id_appealed_at_id_idx", "reliability_appeal",
        ["programme_id", "appealed_at", "id"],
    )  # fmt: skip
    op.execute("REVOKE DELETE, TRUNCATE ON reliability_appeal FROM popcandy_activities")


def downgrade() -> None:
    """Remove them; records that were merged are records again, with nothing left of their own."""
    op.drop_table("reliability_appeal")
    op.drop_table("merge")
    op.drop_column("volunteer", "merged_at")
    op.drop_column("volunteer", "merged_into")
