"""Record who had which dead letters tried again or given up, and why."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0008"
down_revision = "bus_0007"


def upgrade() -> None:
    """Make a replay and the frozen set of letters that it is about."""
    op.create_table(
        "replay",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("letters_per_second", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("lease", sa.Uuid()),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="replay_pkey"),
        sa.CheckConstraint("letters_per_second > 0", name="replay_rate_check"),
    )
    op.create_index("replay_open_idx", "replay", ["requested_at"], postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "replay_letter",
        sa.Column("replay_id", sa.Uuid(), nullable=False),
        sa.Column("dead_letter_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("outcome", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("replay_id", "dead_letter_id", name="replay_letter_pkey"),
        sa.ForeignKeyConstraint(["replay_id"], ["replay.id"], name="replay_letter_replay_id_fkey"),
        sa.ForeignKeyConstraint(["dead_letter_id"], ["dead_letter.id"], name="replay_letter_dead_letter_id_fkey"),
        sa.CheckConstraint("outcome IN ('replayed', 'failed', 'skipped')", name="replay_letter_outcome_check"),
        sa.CheckConstraint("(outcome IS NULL) = (tried_at IS NULL)", name="replay_letter_tried_check"),
    )
    op.create_index(
        "replay_letter_open_idx",
        "replay_letter",
        ["replay_id", "dead_letter_id"],
        postgresql_where=sa.text("outcome IS NULL"),
    )


def downgrade() -> None:
    """Remove both tables; the letters stay as they are."""
    op.drop_table("replay_letter")
    op.drop_table("replay")
