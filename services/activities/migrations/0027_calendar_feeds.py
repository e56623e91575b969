"""Let calendar programs read shifts: the feeds, and how often shifts and sign-ups have changed since then."""

import sqlalchemy as sa
from alembic import op

revision = "0027_calendar_feeds"
down_revision = "0026_search"

INDEXES = {
    "calendar_feed_programme_id_id_idx": ["programme_id", "id"],
    "calendar_feed_partner_id_id_idx": ["partner_id", "id"],
    "calendar_feed_person_id_id_idx": ["person_id", "id"],
}
COUNTED = (("shift", "revision", "revised_at"), ("sign_up", "moves", "moved_at"))


def upgrade() -> None:
    """Make the table and the columns; nobody has read of what changed before, so that all begins at 0."""
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("volunteer_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('volunteer', 'partner', 'programme')", name="calendar_feed_kind_check"),
        sa.CheckConstraint("language IN ('zh', 'en')", name="calendar_feed_language_check"),
        sa.CheckConstraint("(kind = 'volunteer') = (volunteer_id IS NOT NULL)", name="calendar_feed_volunteer_check"),
        sa.CheckConstraint("(kind = 'partner') = (partner_id IS NOT NULL)", name="calendar_feed_partner_check"),
        sa.CheckConstraint("(kind = 'volunteer') = (expires_at IS NULL)", name="calendar_feed_expires_check"),
        sa.CheckConstraint("(revoked_at IS NULL) = (secret_hash IS NOT NULL)", name="calendar_feed_revoked_check"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="calendar_feed_partner_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="calendar_feed_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="calendar_feed_pkey"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "calendar_feed", columns)
    op.create_index("calendar_feed_secret_hash_key", "calendar_feed", ["secret_hash"], unique=True)
    for table, count, instant in COUNTED:
        op.add_column(table, sa.Column(count, sa.Integer(), server_default="0", nullable=False))
        op.add_column(table, sa.Column(instant, sa.DateTime(timezone=True), nullable=True))
        name = f"{table}_{count}_check"
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (({count} = 0) = ({instant} IS NULL)) NOT VALID"
        )  # fmt: skip
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """Remove them; whoever subscribes, subscribes anew."""
    for table, count, instant in COUNTED:
        op.drop_constraint(f"{table}_{count}_check", table)
        op.drop_column(table, instant)
        op.drop_column(table, count)
    op.drop_table("calendar_feed")
