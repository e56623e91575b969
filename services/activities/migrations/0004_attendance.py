"""Record attendance and each version of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004_attendance"
down_revision = "0003_sign_ups"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attendance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("service_minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("matchable_minutes", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("(state = 'checked_in') = (version = 0)", name="attendance_version_check"),
        sa.CheckConstraint(
            "evidence IN ('scanned', 'attested', 'claimed', 'manual')", name="attendance_evidence_check"
        ),
        sa.CheckConstraint(
            "state = 'checked_in' OR (ended_at >= started_at AND evidence IS NOT NULL)", name="attendance_settled_check"
        ),
        sa.CheckConstraint("state IN ('checked_in', 'settled', 'voided')", name="attendance_state_check"),
        sa.CheckConstraint("matchable_minutes BETWEEN 0 AND service_minutes", name="attendance_minutes_check"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="attendance_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="attendance_partner_id_fkey"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="attendance_shift_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="attendance_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="attendance_pkey"),
        sa.UniqueConstraint("shift_id", "volunteer_id", name="attendance_shift_id_volunteer_id_key"),
    )
    op.create_index(
        "attendance_programme_id_service_on_idx", "attendance", ["programme_id", "service_on"], unique=False
    )
    op.create_index(
        "attendance_volunteer_id_started_at_idx",
        "attendance",
        ["volunteer_id", "started_at"],
        unique=False,
        postgresql_where=sa.text("state = 'settled'"),
    )
    op.create_table(
        "attendance_version",
        sa.Column("attendance_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("service_minutes", sa.Integer(), nullable=False),
        sa.Column("matchable_minutes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "evidence IN ('scanned', 'attested', 'claimed', 'manual')", name="attendance_version_evidence_check"
        ),
        sa.CheckConstraint("kind IN ('settled', 'revised', 'voided')", name="attendance_version_kind_check"),
        sa.ForeignKeyConstraint(["attendance_id"], ["attendance.id"], name="attendance_version_attendance_id_fkey"),
        sa.PrimaryKeyConstraint("attendance_id", "version", name="attendance_version_pkey"),
    )
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'PC001'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attendance_version
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON attendance_version FROM popcandy_activities")


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("attendance_version")
    op.drop_table("attendance")
    op.execute("DROP FUNCTION refuse_change()")
