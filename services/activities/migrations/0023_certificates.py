"""Certify service: who issues, how many there are, and each certificate with its signature."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023_certificates"
down_revision = "0022_feedback"

INDEXES = {
    "certificate_programme_id_id_idx": ["programme_id", "id"],
    "certificate_programme_id_issued_at_id_idx": ["programme_id", "issued_at", "id"],
    "certificate_programme_id_number_id_idx": ["programme_id", "number", "id"],
    "certificate_volunteer_id_id_idx": ["volunteer_id", "id"],
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "certificate_issuer",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.CheckConstraint("prefix ~ '^[A-Z][A-Z0-9]{1,7}$'", name="certificate_issuer_prefix_check"),
        sa.PrimaryKeyConstraint("programme_id", name="certificate_issuer_pkey"),
        sa.UniqueConstraint("prefix", name="certificate_issuer_prefix_key"),
    )
    op.create_table(
        "certificate_count",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "year", name="certificate_count_pkey"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("service_from", sa.Date(), nullable=False),
        sa.Column("service_until", sa.Date(), nullable=False),
        sa.Column("services", sa.Integer(), nullable=False),
        sa.Column("total_minutes", sa.Integer(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("content", JSONB(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('valid', 'superseded', 'revoked')", name="certificate_state_check"),
        sa.CheckConstraint("(state = 'valid') = (ended_at IS NULL)", name="certificate_ended_check"),
        sa.CheckConstraint(
            "(state = 'revoked') = (revoked_because IS NOT NULL)", name="certificate_revoked_because_check"
        ),
        sa.CheckConstraint("service_until > service_from AND total_minutes > 0", name="certificate_period_check"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="certificate_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="certificate_pkey"),
        sa.UniqueConstraint("number", name="certificate_number_key"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "certificate", columns)
    op.create_index(
        "certificate_volunteer_id_period_idx", "certificate", ["volunteer_id", "service_from", "service_until"],
        unique=True, postgresql_where=sa.text("state = 'valid'"),
    )  # fmt: skip


def downgrade() -> None:
    """Remove them."""
    for table in ("certificate", "certificate_count", "certificate_issuer"):
        op.drop_table(table)
