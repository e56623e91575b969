"""Take places on shifts."""

import sqlalchemy as sa
from alembic import op

revision = "0003_sign_ups"
down_revision = "0002_listings"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sign_up",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source IN ('self', 'import')", name="sign_up_source_check"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="sign_up_shift_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="sign_up_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="sign_up_pkey"),
        sa.UniqueConstraint("shift_id", "volunteer_id", name="sign_up_shift_id_volunteer_id_key"),
    )
    op.create_index("sign_up_volunteer_id_idx", "sign_up", ["volunteer_id"], unique=False)


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("sign_up")
