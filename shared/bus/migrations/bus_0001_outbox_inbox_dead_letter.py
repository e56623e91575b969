"""Give a service its outbox, inbox and dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0001"
down_revision = None
branch_labels = ("bus",)


def upgrade() -> None:
    """Make the three tables; rows come and go fast in the outbox, so it is vacuumed early."""
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partition_key", sa.Text(), nullable=False),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("position", name="outbox_pkey"),
        sa.UniqueConstraint("event_id", name="outbox_event_id_key"),
    )
    op.execute("ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("event_id", "handler", name="inbox_pkey"),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("handler", sa.Text()),
        sa.Column("programme_id", sa.Uuid()),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("type", sa.Text()),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("stack", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="dead_letter_pkey"),
        sa.UniqueConstraint("fingerprint", name="dead_letter_fingerprint_key"),
    )
    op.create_index("dead_letter_died_at_idx", "dead_letter", ["died_at"])


def downgrade() -> None:
    """Remove the three tables with what they hold."""
    for table in ("dead_letter", "inbox", "outbox"):
        op.drop_table(table)
