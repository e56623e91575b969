"""Draw the places of shifts for which more people are expected than there are places."""

import sqlalchemy as sa
from alembic import op

revision = "0016_draws"
down_revision = "0015_shift_life"


def upgrade() -> None:
    """Make the table; what there is gives its places to who comes first."""
    op.add_column("shift", sa.Column("awaits_draw", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("sign_up", sa.Column("drawn_place", sa.Integer(), nullable=True))
    op.create_check_constraint("sign_up_drawn_place_check", "sign_up", "drawn_place > 0")
    op.create_table(
        "draw",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("draws_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.CheckConstraint("(drawn_at IS NULL) = (entries IS NULL)", name="draw_drawn_check"),
        sa.CheckConstraint(
            "seed ~ '^[0-9a-f]{64}$' AND commitment ~ '^[0-9a-f]{64}$'", name="draw_hexadecimal_check"
        ),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="draw_shift_id_fkey"),
        sa.PrimaryKeyConstraint("shift_id", name="draw_pkey"),
    )  # fmt: skip
    op.create_index("draw_draws_at_idx", "draw", ["draws_at"], postgresql_where=sa.text("drawn_at IS NULL"))


def downgrade() -> None:
    """Remove it; whoever waits does so in the order of signing up."""
    op.drop_table("draw")
    op.drop_constraint("sign_up_drawn_place_check", "sign_up")
    op.drop_column("sign_up", "drawn_place")
    op.drop_column("shift", "awaits_draw")
