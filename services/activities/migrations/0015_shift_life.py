"""Let somebody decide whether a shift happens, move it, and say why one did not happen; close or cancel an activity."""

import sqlalchemy as sa
from alembic import op

revision = "0015_shift_life"
down_revision = "0014_sign_up_states"

INDEXES = {
    "shift_programme_id_id_idx": ["programme_id", "id"],
    "shift_programme_id_starts_at_id_idx": ["programme_id", "starts_at", "id"],
    "shift_partner_id_starts_at_id_idx": ["partner_id", "starts_at", "id"],
}
INSTANTS = ("closed_at", "rescheduled_at", "short_at", "decision_asked_at")
OLD = {
    "state": "state IN ('open', 'running', 'held', 'cancelled')",
    "cancelled_because": "(state = 'cancelled') = (cancelled_because IS NOT NULL)",
}
NEW = {
    "state": "state IN ('open', 'go', 'no_go', 'running', 'held', 'not_run', 'cancelled')",
    "cancelled_because": "(state IN ('no_go', 'not_run', 'cancelled')) = (cancelled_because IS NOT NULL)",
    "not_run": "(state = 'not_run') = (not_run IS NOT NULL)",
    "not_run_code": (
        "not_run IN ('nobody_came', 'too_few', 'weather', 'venue', 'host_unable', 'force_majeure', 'other')"
    ),
    "minimum": "minimum BETWEEN 1 AND capacity",
}
LISTING = {
    "state": "state IN ('published', 'closed', 'cancelled')",
    "ended": "(state = 'published') = (ended_at IS NULL)",
    "cancelled_because": "(state = 'cancelled') = (cancelled_because IS NOT NULL)",
}


def upgrade() -> None:
    """Add the states; what there is keeps its own, needs one person at least, and is published."""
    op.add_column("shift", sa.Column("minimum", sa.Integer(), server_default="1", nullable=False))
    op.add_column("shift", sa.Column("not_run", sa.Text(), nullable=True))
    for name in INSTANTS:
        op.add_column("shift", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _replace("shift", OLD, NEW)
    for name, columns in INDEXES.items():
        op.create_index(name, "shift", columns)
    op.create_index("shift_starts_at_idx", "shift", ["starts_at"], postgresql_where=sa.text("state = 'open'"))
    op.add_column("listing", sa.Column("state", sa.Text(), server_default="published", nullable=False))
    op.add_column("listing", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("listing", sa.Column("cancelled_because", sa.Text(), nullable=True))
    _replace("listing", {}, LISTING)


def downgrade() -> None:
    """Take them back: what was to happen is open, and what was not is cancelled, for the reason that it has."""
    _replace("listing", LISTING, {})
    for name in ("cancelled_because", "ended_at", "state"):
        op.drop_column("listing", name)
    for name in ("shift_starts_at_idx", *INDEXES):
        op.drop_index(name, "shift")
    for name in NEW:
        op.drop_constraint(f"shift_{name}_check", "shift")
    op.execute("UPDATE shift SET state = 'open' WHERE state = 'go'")
    op.execute("UPDATE shift SET state = 'cancelled' WHERE state IN ('no_go', 'not_run')")
    _replace("shift", {}, OLD)
    for name in (*INSTANTS, "not_run", "minimum"):
        op.drop_column("shift", name)


def _replace(table: str, old: dict[str, str], new: dict[str, str]) -> None:
    for name in old:
        op.drop_constraint(f"{table}_{name}_check", table)
    for name, condition in new.items():
        op.create_check_constraint(f"{table}_{name}_check", table, condition)
