"""Keep incidents: what a person has to look into, and what was noted of it."""

import sqlalchemy as sa
from alembic import op

revision = "0017_incidents"
down_revision = "0016_draws"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("listing_id", sa.Uuid(), nullable=True),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("volunteer_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_side", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('fraud_signal', 'complaint', 'safety', 'accident', 'data', 'other')", name="incident_kind_check"
        ),
        sa.CheckConstraint("state IN ('open', 'in_progress', 'resolved', 'dismissed')", name="incident_state_check"),
        sa.CheckConstraint(
            "opened_side IN ('staff', 'partner', 'volunteer', 'system')", name="incident_opened_side_check"
        ),
        sa.CheckConstraint("(opened_side = 'system') = (opened_by IS NULL)", name="incident_opened_by_check"),
        sa.CheckConstraint("(opened_side = 'system') = (dedupe_key IS NOT NULL)", name="incident_dedupe_key_check"),
        sa.CheckConstraint("state = 'open' OR owner_id IS NOT NULL", name="incident_owner_id_check"),
        sa.CheckConstraint(
            "(state IN ('resolved', 'dismissed')) = (closed_at IS NOT NULL AND closed_by IS NOT NULL "
            "AND resolution IS NOT NULL)",
            name="incident_closed_check",
        ),
        sa.PrimaryKeyConstraint("id", name="incident_pkey"),
    )
    _index_incidents()
    op.create_table(
        "incident_note",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="incident_note_incident_id_fkey"),
        sa.PrimaryKeyConstraint("incident_id", "number", name="incident_note_pkey"),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_note "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON incident_note FROM popcandy_activities")


def _index_incidents() -> None:
    keyed, about, opened = (sa.text(f"{name} IS NOT NULL") for name in ("dedupe_key", "volunteer_id", "opened_by"))
    op.create_index(
        "incident_programme_id_dedupe_key_key", "incident", ["programme_id", "dedupe_key"], unique=True,
        postgresql_where=keyed,
    )  # fmt: skip
    op.create_index("incident_programme_id_id_idx", "incident", ["programme_id", "id"])
    op.create_index("incident_programme_id_deadline_at_id_idx", "incident", ["programme_id", "deadline_at", "id"])
    op.create_index("incident_partner_id_id_idx", "incident", ["partner_id", "id"])
    op.create_index("incident_volunteer_id_idx", "incident", ["volunteer_id"], postgresql_where=about)
    op.create_index("incident_opened_by_id_idx", "incident", ["opened_by", "id"], postgresql_where=opened)


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("incident_note")
    op.drop_table("incident")
