"""Make the embedded broker: who is bound to what, and the letters that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0001_messages"
down_revision = None


def upgrade() -> None:
    """Make both tables; `taken` letters were handed out by the queue's active consumer and are not yet settled."""
    op.create_table(
        "binding",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("routing_key", "queue", name="binding_pkey"),
    )
    op.create_table(
        "message",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("taken", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("position", name="message_pkey"),
    )
    op.create_index("message_ready_idx", "message", ["queue", "position"], postgresql_where=sa.text("NOT taken"))
    op.create_index("message_taken_idx", "message", ["queue", "position"], postgresql_where=sa.text("taken"))
    op.execute("ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")


def downgrade() -> None:
    """Remove both tables with the letters in them."""
    op.drop_table("message")
    op.drop_table("binding")
