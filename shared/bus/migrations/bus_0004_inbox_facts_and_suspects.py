"""Keep the facts that a handler wants kept, and remember which letters a process died of."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0004"
down_revision = "bus_0003"


def upgrade() -> None:
    """Add the kept fact to its mark, an index to forget old marks by, and a table of suspects."""
    op.add_column("inbox", sa.Column("type", sa.Text()))
    op.add_column("inbox", sa.Column("body", sa.LargeBinary()))
    op.create_check_constraint("inbox_kept_check", "inbox", "(type IS NULL) = (body IS NULL)")
    op.create_index("inbox_received_at_idx", "inbox", ["handler", "received_at"])
    op.create_table(
        "suspect",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("event_id", name="suspect_pkey"),
    )


def downgrade() -> None:
    """Take them back, the kept facts included."""
    op.drop_table("suspect")
    op.drop_index("inbox_received_at_idx", "inbox")
    op.drop_constraint("inbox_kept_check", "inbox")
    for column in ("body", "type"):
        op.drop_column("inbox", column)
