"""Give dead letters a cause to be grouped by, an end, and the letters that wait behind them."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0003"
down_revision = "bus_0002"


def upgrade() -> None:
    """Add what replay and order need; letters that died before this have neither exception nor key."""
    op.add_column("dead_letter", sa.Column("origin", sa.Text(), nullable=False, server_default="inbox"))
    op.add_column("dead_letter", sa.Column("partition_key", sa.Text()))
    op.add_column("dead_letter", sa.Column("exception", sa.Text()))
    op.add_column("dead_letter", sa.Column("cause", sa.Text(), nullable=False, server_default="before"))
    op.add_column("dead_letter", sa.Column("trace_id", sa.Text()))
    op.add_column("dead_letter", sa.Column("state", sa.Text(), nullable=False, server_default="dead"))
    op.add_column("dead_letter", sa.Column("closed_at", sa.DateTime(timezone=True)))
    op.add_column("dead_letter", sa.Column("closed_by", sa.Uuid()))
    op.add_column("dead_letter", sa.Column("closed_why", sa.Text()))
    op.alter_column("dead_letter", "origin", server_default=None)
    op.alter_column("dead_letter", "cause", server_default=None)
    op.create_check_constraint("dead_letter_state_check", "dead_letter", "state IN ('dead', 'replayed', 'discarded')")
    op.create_check_constraint("dead_letter_closed_check", "dead_letter", "(state = 'dead') = (closed_at IS NULL)")
    op.create_index("dead_letter_cause_idx", "dead_letter", ["cause"], postgresql_where=sa.text("state = 'dead'"))
    op.create_index(
        "dead_letter_blocking_idx",
        "dead_letter",
        ["handler", "partition_key"],
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_table(
        "parked_letter",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("partition_key", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("position", name="parked_letter_pkey"),
        sa.UniqueConstraint("handler", "event_id", name="parked_letter_handler_event_id_key"),
    )
    op.create_index("parked_letter_order_idx", "parked_letter", ["handler", "partition_key", "position"])


def downgrade() -> None:
    """Take them back; what is parked would be lost, so nothing may be."""
    op.execute("""
        DO $$ BEGIN IF EXISTS (SELECT FROM parked_letter) THEN
            RAISE EXCEPTION 'letters are parked; replay or discard what they wait for first';
        END IF; END $$
    """)
    op.drop_table("parked_letter")
    for index in ("dead_letter_blocking_idx", "dead_letter_cause_idx"):
        op.drop_index(index, "dead_letter")
    op.drop_constraint("dead_letter_closed_check", "dead_letter")
    op.drop_constraint("dead_letter_state_check", "dead_letter")
    for column in (
        "closed_why", "closed_by", "closed_at", "state", "trace_id", "cause", "exception", "partition_key", "origin",
    ):  # fmt: skip
        op.drop_column("dead_letter", column)
