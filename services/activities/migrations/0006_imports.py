"""Stage imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_imports"
down_revision = "0005_check_ins"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "import",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.Column("staged_by", sa.Uuid(), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added", sa.Integer(), nullable=True),
        sa.Column("unchanged", sa.Integer(), nullable=True),
        sa.Column("staged", sa.LargeBinary(), nullable=True),
        sa.Column("reject_file", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('volunteers', 'shifts', 'attendance')", name="import_kind_check"),
        sa.CheckConstraint(
            "(committed_at IS NULL) = (added IS NULL) AND (added IS NULL) = (unchanged IS NULL)",
            name="import_committed_check",
        ),
        sa.CheckConstraint("(committed_at IS NULL) = (staged IS NOT NULL)", name="import_staged_check"),
        sa.CheckConstraint("(rejected = 0) = (reject_file IS NULL)", name="import_reject_file_check"),
        sa.PrimaryKeyConstraint("id", name="import_pkey"),
    )
    op.create_index("import_programme_id_id_idx", "import", ["programme_id", "id"], unique=False)


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("import")
