"""Write down who changed what, so that nobody can take it back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "bus_0011"
down_revision = "bus_0010"

# Whatever this service's runtime role is called; what it gets by default on new tables is taken back.
REVOKE = """
    DO $$
    DECLARE
        reader name;
    BEGIN
        FOR reader IN SELECT DISTINCT grantee FROM information_schema.role_table_grants
            WHERE table_schema = 'public' AND table_name = 'audit_entry' AND grantee <> current_user
        LOOP
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON public.audit_entry FROM %I', reader);
        END LOOP;
    END $$
"""


def upgrade() -> None:
    """Make the table, and refuse every change of what stands in it."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text()),
        sa.Column("roles", ARRAY(sa.Text()), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text()),
        sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("thing", sa.Text()),
        sa.Column("thing_id", sa.Text()),
        sa.Column("things", ARRAY(sa.Text()), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("trace_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="audit_entry_pkey"),
        sa.CheckConstraint("outcome IN ('done', 'denied')", name="audit_entry_outcome_check"),
        sa.CheckConstraint("(outcome = 'denied') = (refusal IS NOT NULL)", name="audit_entry_refusal_check"),
        sa.CheckConstraint("repeats >= 0", name="audit_entry_repeats_check"),
    )
    op.create_index("audit_entry_programme_id_at_id_idx", "audit_entry", ["programme_id", "at", "id"])
    op.create_index(
        "audit_entry_programme_id_person_id_at_id_idx", "audit_entry", ["programme_id", "person_id", "at", "id"]
    )
    op.create_index("audit_entry_things_idx", "audit_entry", ["things"], postgresql_using="gin")
    op.execute("""
        CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'audit_entry is append-only: % refused', TG_OP USING ERRCODE = 'PC010';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """)
    op.execute(REVOKE)


def downgrade() -> None:
    """Remove the trail with all that it says."""
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION refuse_audit_change()")
