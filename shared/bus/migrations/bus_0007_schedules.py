"""Remember when each recurring job is due next."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0007"
down_revision = "bus_0006"


def upgrade() -> None:
    """Make the table; a row is armed anew when it is claimed, so a failed run never ends its schedule."""
    op.create_table(
        "schedule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("missed", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_due_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", name="schedule_pkey"),
        sa.CheckConstraint("missed IN ('once', 'each')", name="schedule_missed_check"),
    )
    op.create_index("schedule_due_at_idx", "schedule", ["due_at"])


def downgrade() -> None:
    """Forget when everything was due."""
    op.drop_table("schedule")
