"""Let rows of the outbox wait for their time, be called back by a key, and travel in a lane of their own."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0002"
down_revision = "bus_0001"


def upgrade() -> None:
    """Add the columns, with an index for each way in which the relay looks for rows."""
    op.add_column("outbox", sa.Column("lane", sa.Text(), nullable=False, server_default="event"))
    op.add_column("outbox", sa.Column("due_at", sa.DateTime(timezone=True)))
    op.add_column("outbox", sa.Column("timer_key", sa.Text()))
    op.alter_column("outbox", "programme_id", nullable=True)
    op.create_check_constraint("outbox_lane_check", "outbox", "lane IN ('event', 'task')")
    op.create_check_constraint("outbox_timer_key_check", "outbox", "timer_key IS NULL OR due_at IS NOT NULL")
    op.create_index(
        "outbox_ready_idx",
        "outbox",
        ["lane", "position"],
        postgresql_where=sa.text("due_at IS NULL AND next_try_at IS NULL"),
    )
    op.create_index("outbox_due_at_idx", "outbox", ["lane", "due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "outbox_next_try_at_idx", "outbox", ["lane", "next_try_at"], postgresql_where=sa.text("next_try_at IS NOT NULL")
    )
    op.create_index(
        "outbox_timer_key_key", "outbox", ["timer_key"], unique=True, postgresql_where=sa.text("timer_key IS NOT NULL")
    )


def downgrade() -> None:
    """Take them back; what waits for its time and what is no event would be sent at once, so it is dropped."""
    op.execute("DELETE FROM outbox WHERE due_at IS NOT NULL OR lane <> 'event'")
    for index in ("outbox_timer_key_key", "outbox_next_try_at_idx", "outbox_due_at_idx", "outbox_ready_idx"):
        op.drop_index(index, "outbox")
    op.drop_constraint("outbox_timer_key_check", "outbox")
    op.drop_constraint("outbox_lane_check", "outbox")
    op.alter_column("outbox", "programme_id", nullable=False)
    for column in ("timer_key", "due_at", "lane"):
        op.drop_column("outbox", column)
