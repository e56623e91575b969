"""Make the rows that are the truth about tasks; what the broker carries only wakes a worker."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0006"
down_revision = "bus_0005"


def upgrade() -> None:
    """Make the table, and an index over what is not finished."""
    op.create_table(
        "task_run",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid()),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="queued"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("wakes", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("woken_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("lease", sa.Uuid()),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("stack", sa.Text()),
        sa.Column("progress_done", sa.BigInteger()),
        sa.Column("progress_total", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="task_run_pkey"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="task_run_state_check"),
        sa.CheckConstraint("(state = 'running') = (lease IS NOT NULL)", name="task_run_lease_check"),
        sa.CheckConstraint("(lease IS NULL) = (lease_until IS NULL)", name="task_run_lease_until_check"),
        sa.CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="task_run_finished_check"),
    )
    op.create_index(
        "task_run_task_key_key", "task_run", ["task", "key"], unique=True, postgresql_where=sa.text("key IS NOT NULL")
    )
    op.create_index(
        "task_run_open_idx",
        "task_run",
        ["state", "woken_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def downgrade() -> None:
    """Remove the table and the wake-ups that name its rows."""
    op.execute("DELETE FROM outbox WHERE lane = 'task'")
    op.drop_table("task_run")
