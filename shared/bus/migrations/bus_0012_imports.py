"""Stage sheets, and keep what became of them, in every service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "bus_0012"
down_revision = "bus_0011"

STATES = "state IN ('staged', 'committing', 'committed', 'failed', 'expired')"
FORGOTTEN = "forgotten_at IS NULL OR (reject_file IS NULL AND file_name IS NULL AND errors = '[]' AND samples = '{}')"


def upgrade() -> None:
    """Make an import, and the parts in which its good rows wait for the commit."""
    op.create_table(
        "sheet_import",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text()),
        sa.Column("file_kind", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text()),
        sa.Column("creates", sa.Integer(), nullable=False),
        sa.Column("updates", sa.Integer(), nullable=False),
        sa.Column("skips", sa.Integer(), nullable=False),
        sa.Column("rejects", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.Column("samples", postgresql.JSONB(), nullable=False),
        sa.Column("staged_by", sa.Uuid(), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_by", sa.Uuid()),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("committed_at", sa.DateTime(timezone=True)),
        sa.Column("created", sa.Integer()),
        sa.Column("updated", sa.Integer()),
        sa.Column("skipped", sa.Integer()),
        sa.Column("failure", postgresql.JSONB()),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.Column("reject_file", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="sheet_import_pkey"),
        sa.CheckConstraint(STATES, name="sheet_import_state_check"),
        sa.CheckConstraint("(state = 'committed') = (committed_at IS NOT NULL)", name="sheet_import_committed_check"),
        sa.CheckConstraint(
            "num_nulls(committed_at, created, updated, skipped) IN (0, 4)", name="sheet_import_result_check"
        ),
        sa.CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="sheet_import_failure_check"),
        sa.CheckConstraint(
            "state <> 'committing' OR (run_id IS NOT NULL AND committed_by IS NOT NULL)", name="sheet_import_run_check"
        ),
        sa.CheckConstraint("state <> 'expired' OR forgotten_at IS NOT NULL", name="sheet_import_expired_check"),
        sa.CheckConstraint(FORGOTTEN, name="sheet_import_forgotten_check"),
        sa.CheckConstraint(
            "forgotten_at IS NOT NULL OR (rejects = 0) = (reject_file IS NULL)", name="sheet_import_reject_file_check"
        ),
    )
    op.create_index("sheet_import_programme_id_id_idx", "sheet_import", ["programme_id", "id"])
    op.create_index(
        "sheet_import_staged_at_idx", "sheet_import", ["staged_at"], postgresql_where=sa.text("forgotten_at IS NULL")
    )
    op.create_table(
        "sheet_import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "part", name="sheet_import_rows_pkey"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["sheet_import.id"], name="sheet_import_rows_import_id_fkey", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Remove both, with what was staged or came of it; the records that imports made stay."""
    op.drop_table("sheet_import_rows")
    op.drop_table("sheet_import")
