"""Keep day manifests, and with each version of an attendance the transaction that wrote it: what to count over."""

import sqlalchemy as sa
from alembic import op

revision = "0029_manifests"
down_revision = "0027_calendar_feeds"

_TRANSACTION = "((pg_current_xact_id())::text)::bigint"


def upgrade() -> None:
    """Make the tables; what is written already has transaction 0, and is counted the first night."""
    op.add_column("attendance_version", sa.Column("written_in", sa.BigInteger(), server_default="0", nullable=False))
    op.alter_column("attendance_version", "written_in", server_default=sa.text(_TRANSACTION))
    op.create_index("attendance_version_written_in_idx", "attendance_version", ["written_in"], postgresql_using="brin")
    op.create_table(
        "day_manifest",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attendances", sa.Integer(), nullable=False),
        sa.Column("voided", sa.Integer(), nullable=False),
        sa.Column("service_minutes", sa.BigInteger(), nullable=False),
        sa.Column("matchable_minutes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name="day_manifest_version_check"),
        sa.CheckConstraint("attendances >= 0 AND voided >= 0", name="day_manifest_counts_check"),
        sa.CheckConstraint("matchable_minutes BETWEEN 0 AND service_minutes", name="day_manifest_minutes_check"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="day_manifest_sha256_check"),
        sa.PrimaryKeyConstraint("id", name="day_manifest_pkey"),
        sa.UniqueConstraint(
            "programme_id", "service_on", "version", name="day_manifest_programme_id_service_on_version_key"
        ),
    )
    op.create_index("day_manifest_programme_id_id_idx", "day_manifest", ["programme_id", "id"])
    op.create_index("day_manifest_programme_id_service_on_id_idx", "day_manifest", ["programme_id", "service_on", "id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON day_manifest "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON day_manifest FROM popcandy_activities")
    op.create_table(
        "manifest_run",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("night", sa.Date(), nullable=True),
        sa.Column("seen_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("programme_id", name="manifest_run_pkey"),
    )


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("manifest_run")
    op.drop_table("day_manifest")
    op.drop_index("attendance_version_written_in_idx", "attendance_version")
    op.drop_column("attendance_version", "written_in")
