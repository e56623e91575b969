"""Keep every event that was told, by month, for readers that come later."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0005"
down_revision = "bus_0004"


def upgrade() -> None:
    """Make the archive; its months are made by a function, for the runtime role may not change the schema."""
    op.create_table(
        "event_archive",
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partition_key", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("emitted_at", "event_id", name="event_archive_pkey"),
        postgresql_partition_by="RANGE (emitted_at)",
    )
    op.execute("""
        CREATE FUNCTION make_archive_month(month date) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
        DECLARE part text := 'event_archive_' || to_char(month, 'YYYY_MM');
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('popcandy.event_archive'));
            IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
            -- Attached, not made as a partition: that would wait for everybody who reads the archive.
            EXECUTE format('CREATE TABLE %I (LIKE event_archive INCLUDING ALL)', part);
            EXECUTE format(
                'ALTER TABLE event_archive ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                part, date_trunc('month', month), date_trunc('month', month) + interval '1 month'
            );
        END $$
    """)


def downgrade() -> None:
    """Remove the archive with all its months."""
    op.execute("DROP FUNCTION make_archive_month")
    op.drop_table("event_archive")
