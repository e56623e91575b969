"""Keep scans, and count wrong codes."""

import sqlalchemy as sa
from alembic import op

revision = "0005_check_ins"
down_revision = "0004_attendance"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scan",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("way IN ('in', 'out')", name="scan_way_check"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="scan_shift_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="scan_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("shift_id", "volunteer_id", "way", name="scan_pkey"),
    )
    op.create_table(
        "code_attempt",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="code_attempt_shift_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="code_attempt_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("shift_id", "volunteer_id", name="code_attempt_pkey"),
    )


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("code_attempt")
    op.drop_table("scan")
