"""Find what has been kept for long enough, and let the runtime role drop old months of the archive."""

import sqlalchemy as sa
from alembic import op

revision = "bus_0013"
down_revision = "bus_0012"


def upgrade() -> None:
    """Make indexes, and a function that drops months which are over, and no younger ones whoever asks."""
    op.create_index("dead_letter_closed_idx", "dead_letter", ["closed_at"], postgresql_where=sa.text("state <> 'dead'"))
    op.create_index("dead_letter_event_id_idx", "dead_letter", ["event_id"])
    op.create_index("replay_letter_dead_letter_id_idx", "replay_letter", ["dead_letter_id"])
    op.create_index("task_run_failed_idx", "task_run", ["finished_at"], postgresql_where=sa.text("state = 'failed'"))
    op.execute("""
        CREATE FUNCTION drop_archive_months(before timestamptz, most integer) RETURNS SETOF date
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
        DECLARE part record;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('popcandy.event_archive'));
            FOR part IN
                SELECT relname, to_date(right(relname, 7), 'YYYY_MM') AS month
                FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                WHERE inhparent = 'event_archive'::regclass AND relname ~ '^event_archive_\\d{4}_\\d{2}$'
                ORDER BY relname
            LOOP
                EXIT WHEN most <= 0 OR part.month + interval '1 month' > least(before, now() - interval '400 days');
                EXECUTE format('DROP TABLE %I', part.relname);
                RETURN NEXT part.month;
                most := most - 1;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP FUNCTION drop_archive_months")
    op.drop_index("task_run_failed_idx", "task_run")
    op.drop_index("replay_letter_dead_letter_id_idx", "replay_letter")
    op.drop_index("dead_letter_event_id_idx", "dead_letter")
    op.drop_index("dead_letter_closed_idx", "dead_letter")
