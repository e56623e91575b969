"""Give each order of the lists of imports and of the audit trail the index that serves it."""

from alembic import op

revision = "bus_0015"
down_revision = "bus_0014"


def upgrade() -> None:
    """Make the indexes; the other order of each list has its own from the start."""
    op.create_index("sheet_import_programme_id_staged_at_id_idx", "sheet_import", ["programme_id", "staged_at", "id"])
    op.create_index("audit_entry_programme_id_id_idx", "audit_entry", ["programme_id", "id"])


def downgrade() -> None:
    """Take them back."""
    op.drop_index("audit_entry_programme_id_id_idx", "audit_entry")
    op.drop_index("sheet_import_programme_id_staged_at_id_idx", "sheet_import")
