"""Let volunteers have profiles, with skills of a catalogue, and dates on which they are eligible."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DATERANGE

revision = "0020_profiles"
down_revision = "0019_rosters"


def upgrade() -> None:
    """Make the tables; btree_gist lets one constraint compare a person and dates."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "skill",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="skill_pkey"),
        sa.UniqueConstraint("programme_id", "code", name="skill_programme_id_code_key"),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="skill_code_check"),
    )
    op.create_table(
        "profile",
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("languages", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("skills", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("volunteer_id", name="profile_pkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="profile_volunteer_id_fkey"),
        sa.CheckConstraint("version >= 1", name="profile_version_check"),
        sa.CheckConstraint(
            "char_length(department) BETWEEN 1 AND 80 AND char_length(city) BETWEEN 1 AND 80",
            name="profile_texts_check",
        ),
        sa.CheckConstraint("cardinality(languages) <= 10 AND cardinality(skills) <= 30", name="profile_counts_check"),
    )
    op.create_table(
        "eligibility",
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("volunteer_id", name="eligibility_pkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="eligibility_volunteer_id_fkey"),
        sa.CheckConstraint("version >= 1", name="eligibility_version_check"),
    )
    op.create_table(
        "eligible_interval",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("during", DATERANGE(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="eligible_interval_pkey"),
        sa.ForeignKeyConstraint(
            ["volunteer_id"], ["eligibility.volunteer_id"], name="eligible_interval_volunteer_id_fkey"
        ),
        sa.CheckConstraint("NOT isempty(during)", name="eligible_interval_dates_check"),
    )
    op.create_index("eligible_interval_volunteer_id_idx", "eligible_interval", ["volunteer_id"])
    op.execute("""
        ALTER TABLE eligible_interval ADD CONSTRAINT eligible_interval_no_overlap
        EXCLUDE USING gist (volunteer_id WITH =, during WITH &&)
    """)


def downgrade() -> None:
    """Remove them with what they hold; the extension stays, for others may need it."""
    for table in ("eligible_interval", "eligibility", "profile", "skill"):
        op.drop_table(table)
