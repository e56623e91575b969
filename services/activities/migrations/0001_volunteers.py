"""Register volunteers."""

import sqlalchemy as sa
from alembic import op

revision = "0001_volunteers"
down_revision = None
branch_labels = ("activities",)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "volunteer",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("employee_number", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="volunteer_pkey"),
        sa.UniqueConstraint("programme_id", "employee_number", name="volunteer_programme_id_employee_number_key"),
    )


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("volunteer")
