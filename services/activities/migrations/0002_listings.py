"""Publish partners' activities with their shifts."""

import sqlalchemy as sa
from alembic import op

revision = "0002_listings"
down_revision = "0001_volunteers"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "partner",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.CheckConstraint("agreement IN ('signed', 'carried_over')", name="partner_agreement_check"),
        sa.PrimaryKeyConstraint("id", name="partner_pkey"),
        sa.UniqueConstraint("programme_id", "reference", name="partner_programme_id_reference_key"),
    )
    op.create_table(
        "listing",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="listing_partner_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="listing_pkey"),
        sa.UniqueConstraint("programme_id", "reference", name="listing_programme_id_reference_key"),
    )
    op.create_index("listing_partner_id_idx", "listing", ["partner_id"], unique=False)
    op.create_table(
        "shift",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("code_secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("cancelled_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="shift_cancelled_because_check"
        ),
        sa.CheckConstraint(
            "ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'", name="shift_duration_check"
        ),
        sa.CheckConstraint("state IN ('open', 'running', 'held', 'cancelled')", name="shift_state_check"),
        sa.CheckConstraint("capacity > 0", name="shift_capacity_check"),
        sa.CheckConstraint("taken >= 0", name="shift_taken_check"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="shift_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="shift_partner_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="shift_pkey"),
        sa.UniqueConstraint("listing_id", "number", name="shift_listing_id_number_key"),
    )
    op.create_index("shift_programme_id_service_on_idx", "shift", ["programme_id", "service_on"], unique=False)


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("shift")
    op.drop_table("listing")
    op.drop_table("partner")
