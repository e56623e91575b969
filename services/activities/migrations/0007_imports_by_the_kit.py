"""Hand imports over to the kit's tables (bus_0012), with what was staged, committed and rejected."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_imports_by_the_kit"
down_revision = "0006_imports"
depends_on = "bus_0012"

# Of older rows no preview was shown. Volunteers were only ever registered; of the others any effect will do.
UP = (
    """
    INSERT INTO sheet_import (id, programme_id, kind, state, file_name, file_kind, timezone, creates, updates, skips,
        rejects, errors, samples, staged_by, staged_at, committed_at, created, updated, skipped, reject_file)
    SELECT id, programme_id, kind, CASE WHEN committed_at IS NULL THEN 'staged' ELSE 'committed' END, file_name,
        CASE WHEN right(lower(file_name), 5) = '.xlsx' THEN 'xlsx' ELSE 'csv' END,
        CASE WHEN staged IS NOT NULL THEN convert_from(staged, 'UTF8')::jsonb ->> 'timezone' END,
        good - coalesce(unchanged, 0), 0, coalesce(unchanged, 0), rejected, errors, '{}', staged_by, staged_at,
        committed_at, added, CASE WHEN added IS NOT NULL THEN 0 END, unchanged, reject_file
    FROM import
    """,
    """
    INSERT INTO sheet_import_rows (import_id, part, body)
    SELECT i.id, 0, convert_to((
            SELECT jsonb_agg(jsonb_build_array(0, CASE i.kind WHEN 'volunteers' THEN 'create' END, NULL::text, r.value)
                ORDER BY r.ordinality)::text
            FROM jsonb_array_elements(convert_from(i.staged, 'UTF8')::jsonb -> 'rows') WITH ORDINALITY r
        ), 'UTF8')
    FROM import i WHERE i.staged IS NOT NULL AND i.good > 0
    """,
)
FIT = "state IN ('staged', 'committing', 'committed') AND forgotten_at IS NULL"
DOWN = (
    f"""
    INSERT INTO import (id, programme_id, kind, file_name, good, rejected, errors, staged_by, staged_at, committed_at,
        added, unchanged, staged, reject_file)
    SELECT id, programme_id, kind, file_name, creates + updates + skips, rejects, errors, staged_by, staged_at,
        committed_at, created + updated, skipped,
        CASE WHEN committed_at IS NULL THEN convert_to(jsonb_build_object('timezone', timezone, 'rows', coalesce((
            SELECT jsonb_agg(r.value -> 3 ORDER BY p.part, r.ordinality)
            FROM sheet_import_rows p, jsonb_array_elements(convert_from(p.body, 'UTF8')::jsonb) WITH ORDINALITY r
            WHERE p.import_id = i.id
        ), '[]'))::text, 'UTF8') END,
        reject_file
    FROM sheet_import i WHERE {FIT}
    """,  # noqa: S608  Both parts stand in this file.
    f"DELETE FROM sheet_import WHERE {FIT}",  # noqa: S608  As above.
)


def upgrade() -> None:
    """Move every import; the older table goes."""
    for statement in UP:
        op.get_bind().exec_driver_sql(statement)
    op.drop_table("import")


def downgrade() -> None:
    """Move them back, those that the older table has words for; failed and forgotten ones stay in the kit's."""
    op.create_table(
        "import",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.Column("staged_by", sa.Uuid(), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added", sa.Integer(), nullable=True),
        sa.Column("unchanged", sa.Integer(), nullable=True),
        sa.Column("staged", sa.LargeBinary(), nullable=True),
        sa.Column("reject_file", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('volunteers', 'shifts', 'attendance')", name="import_kind_check"),
        sa.CheckConstraint(
            "(committed_at IS NULL) = (added IS NULL) AND (added IS NULL) = (unchanged IS NULL)",
            name="import_committed_check",
        ),
        sa.CheckConstraint("(committed_at IS NULL) = (staged IS NOT NULL)", name="import_staged_check"),
        sa.CheckConstraint("(rejected = 0) = (reject_file IS NULL)", name="import_reject_file_check"),
        sa.PrimaryKeyConstraint("id", name="import_pkey"),
    )
    op.create_index("import_programme_id_id_idx", "import", ["programme_id", "id"], unique=False)
    for statement in DOWN:
        op.get_bind().exec_driver_sql(statement)
