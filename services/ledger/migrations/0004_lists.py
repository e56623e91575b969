"""Give each order of each list the index that serves it, so that no page is far from its beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0004_lists"
down_revision = "0003_donations"

CURRENT = sa.text("superseded_at IS NULL")
APPROVED = sa.text("coalesce(approved_at, 'infinity'::timestamptz)")
POLICIES: dict[str, list[str | sa.TextClause]] = {
    "policy_version_programme_id_id_idx": ["programme_id", "id"],
    "policy_version_programme_id_proposed_at_id_idx": ["programme_id", "proposed_at", "id"],
    "policy_version_programme_id_approved_at_id_idx": ["programme_id", APPROVED, "id"],
}


def upgrade() -> None:
    """Make the indexes; two narrower ones go up in wider ones."""
    op.drop_index("donation_service_idx", "donation")
    op.create_index("donation_service_idx", "donation", ["programme_id", "service_on", "id"], postgresql_where=CURRENT)
    op.create_index("donation_amount_idx", "donation", ["programme_id", "fen", "id"], postgresql_where=CURRENT)
    for name, columns in POLICIES.items():
        op.create_index(name, "policy_version", columns)
    op.drop_index("policy_version_programme_id_idx", "policy_version")


def downgrade() -> None:
    """Take them back."""
    op.create_index("policy_version_programme_id_idx", "policy_version", ["programme_id"])
    for name in POLICIES:
        op.drop_index(name, "policy_version")
    op.drop_index("donation_amount_idx", "donation")
    op.drop_index("donation_service_idx", "donation")
    op.create_index("donation_service_idx", "donation", ["programme_id", "service_on"], postgresql_where=CURRENT)
