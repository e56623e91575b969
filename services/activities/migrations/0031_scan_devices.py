"""Keep with a scan by which device it was made, until the shift is closed."""

import sqlalchemy as sa
from alembic import op

revision = "0031_scan_devices"
down_revision = "0029_manifests"


def upgrade() -> None:
    """Add the mark; scans that were made before have none."""
    op.add_column("scan", sa.Column("device_mark", sa.LargeBinary()))


def downgrade() -> None:
    """Forget the marks; nothing rests on them."""
    op.drop_column("scan", "device_mark")
