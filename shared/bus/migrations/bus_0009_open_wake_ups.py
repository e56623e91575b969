"""Let a sweeper look at those runs alone whose wake-up has left, and find the old ones without looking at all."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0009"
down_revision = "bus_0008"


def upgrade() -> None:
    """Say of each run whose wake-up stands in the outbox that it was not woken yet; index wake-ups, and ends."""
    op.create_index("outbox_task_idx", "outbox", ["partition_key"], postgresql_where=sa.text("lane = 'task'"))
    op.create_index("task_run_done_idx", "task_run", ["finished_at"], postgresql_where=sa.text("state = 'done'"))
    op.alter_column("task_run", "woken_at", nullable=True, server_default=None)
    op.execute("""
        UPDATE task_run SET woken_at = NULL WHERE state = 'queued'
            AND id IN (SELECT CAST(partition_key AS uuid) FROM outbox WHERE lane = 'task')
    """)


def downgrade() -> None:
    """Count every run as woken now."""
    op.execute("UPDATE task_run SET woken_at = now() WHERE woken_at IS NULL")
    op.alter_column("task_run", "woken_at", nullable=False, server_default=sa.func.now())
    op.drop_index("task_run_done_idx", "task_run")
    op.drop_index("outbox_task_idx", "outbox")
