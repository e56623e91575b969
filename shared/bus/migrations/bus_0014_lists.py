"""Give each order of the lists of dead letters, replays and runs the index that serves it."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0014"
down_revision = "bus_0013"

FINISHED = sa.text("coalesce(finished_at, 'infinity'::timestamptz)")


def upgrade() -> None:
    """Make the indexes; the one over times of death goes up in the wider one."""
    op.create_index("dead_letter_died_at_id_idx", "dead_letter", ["died_at", "id"])
    op.drop_index("dead_letter_died_at_idx", "dead_letter")
    op.create_index("replay_programme_id_id_idx", "replay", ["programme_id", "id"])
    op.create_index("replay_programme_id_requested_at_id_idx", "replay", ["programme_id", "requested_at", "id"])
    op.create_index("task_run_queued_at_id_idx", "task_run", ["queued_at", "id"])
    op.create_index("task_run_finished_at_id_idx", "task_run", [FINISHED, "id"])


def downgrade() -> None:
    """Take them back."""
    for name in ("task_run_finished_at_id_idx", "task_run_queued_at_id_idx"):
        op.drop_index(name, "task_run")
    for name in ("replay_programme_id_requested_at_id_idx", "replay_programme_id_id_idx"):
        op.drop_index(name, "replay")
    op.create_index("dead_letter_died_at_idx", "dead_letter", ["died_at"])
    op.drop_index("dead_letter_died_at_id_idx", "dead_letter")
