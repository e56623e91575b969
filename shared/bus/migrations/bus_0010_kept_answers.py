"""Keep answers to calls with an Idempotency-Key for a while."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0010"
down_revision = "bus_0009"


def upgrade() -> None:
    """Make the table; what stands in it is removed after some days, so it is vacuumed early."""
    op.create_table(
        "kept_answer",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("programme_id", "person_id", "key", name="kept_answer_pkey"),
    )
    op.create_index("kept_answer_kept_at_idx", "kept_answer", ["kept_at"])
    op.execute("ALTER TABLE kept_answer SET (autovacuum_vacuum_scale_factor = 0.05)")


def downgrade() -> None:
    """Forget every answer: calls that are sent again are carried out again."""
    op.drop_table("kept_answer")
