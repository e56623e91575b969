"""Keep what the partners service tells: agreements with their dates, standings, pauses."""

import sqlalchemy as sa
from alembic import op

revision = "0010_partners"
down_revision = "0009_lists"

CHECKS = {
    "partner_agreement_dates_check": "agreement_until > agreement_from",
    "partner_monthly_commitment_check": "monthly_commitment >= 0",
    "partner_agreement_version_check": "agreement_version >= 0",
    "partner_told_check": "agreement_version = 0 OR agreement_from IS NOT NULL",
}
COLUMNS = ("agreement_from", "agreement_until", "monthly_commitment", "agreement_version")


def upgrade() -> None:
    """Add the columns and tables; what an operator noted before stays as it is."""
    op.add_column("partner", sa.Column("agreement_from", sa.Date()))
    op.add_column("partner", sa.Column("agreement_until", sa.Date()))
    op.add_column("partner", sa.Column("monthly_commitment", sa.Integer()))
    op.add_column("partner", sa.Column("agreement_version", sa.Integer(), server_default="0", nullable=False))
    for name, check in CHECKS.items():
        op.create_check_constraint(name, "partner", check)
    op.create_table(
        "partner_standing",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("weekly_quota", sa.Integer(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "standing IN ('good', 'notice', 'warning', 'suspended', 'exited')", name="partner_standing_standing_check"
        ),
        sa.CheckConstraint("weekly_quota >= 0", name="partner_standing_weekly_quota_check"),
        sa.CheckConstraint("version > 0", name="partner_standing_version_check"),
        sa.PrimaryKeyConstraint("programme_id", "partner_id", name="partner_standing_pkey"),
    )
    op.create_table(
        "partner_pause",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("paused_from", sa.Date(), nullable=True),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "paused_until IS NULL OR coalesce(paused_until > paused_from, false)", name="partner_pause_dates_check"
        ),
        sa.CheckConstraint("version > 0", name="partner_pause_version_check"),
        sa.PrimaryKeyConstraint("programme_id", "partner_id", name="partner_pause_pkey"),
    )


def downgrade() -> None:
    """Remove them; partners stay as an operator notes them."""
    op.drop_table("partner_pause")
    op.drop_table("partner_standing")
    for name in CHECKS:
        op.drop_constraint(name, "partner")
    for column in COLUMNS:
        op.drop_column("partner", column)
