"""Give each order of each list the index that serves it, so that no page is far from its beginning."""

from alembic import op

revision = "0009_lists"
down_revision = "0008_privacy"

INDEXES = {
    "volunteer_programme_id_id_idx": ("volunteer", ["programme_id", "id"]),
    "volunteer_programme_id_registered_at_id_idx": ("volunteer", ["programme_id", "registered_at", "id"]),
    "listing_programme_id_id_idx": ("listing", ["programme_id", "id"]),
    "listing_programme_id_published_at_id_idx": ("listing", ["programme_id", "published_at", "id"]),
    "listing_programme_id_reference_id_idx": ("listing", ["programme_id", "reference", "id"]),
    "attendance_programme_id_id_idx": ("attendance", ["programme_id", "id"]),
    "attendance_programme_id_service_on_id_idx": ("attendance", ["programme_id", "service_on", "id"]),
    "attendance_programme_id_checked_in_at_id_idx": ("attendance", ["programme_id", "checked_in_at", "id"]),
    "attendance_partner_id_id_idx": ("attendance", ["partner_id", "id"]),
    "attendance_listing_id_id_idx": ("attendance", ["listing_id", "id"]),
}


def upgrade() -> None:
    """Make the indexes; the one over service dates goes up in the wider one."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.drop_index("attendance_programme_id_service_on_idx", "attendance")


def downgrade() -> None:
    """Take them back."""
    op.create_index("attendance_programme_id_service_on_idx", "attendance", ["programme_id", "service_on"])
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
