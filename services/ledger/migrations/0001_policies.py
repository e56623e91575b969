"""Give the ledger policy versions that nobody can edit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSTZRANGE

revision = "0001_policies"
down_revision = None
branch_labels = ("ledger",)


def upgrade() -> None:
    """Make the table, and let nothing change in it but the one approval."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("effective", TSTZRANGE(), nullable=False),
        sa.Column("fen_per_hour", sa.BigInteger(), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=False),
        sa.Column("min_minutes", sa.Integer(), nullable=False),
        sa.Column("max_minutes", sa.Integer(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approver_id", sa.Uuid()),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="policy_version_pkey"),
        sa.CheckConstraint("maker_id <> approver_id", name="policy_version_two_people_check"),
        sa.CheckConstraint("(approver_id IS NULL) = (approved_at IS NULL)", name="policy_version_approval_check"),
        sa.CheckConstraint(
            "NOT isempty(effective) AND lower(effective) IS NOT NULL "
            "AND lower_inc(effective) AND NOT upper_inc(effective)",
            name="policy_version_half_open_check",
        ),
        sa.CheckConstraint("fen_per_hour > 0", name="policy_version_rate_check"),
        sa.CheckConstraint("step_minutes >= 1", name="policy_version_step_check"),
        sa.CheckConstraint(
            "min_minutes >= 0 AND max_minutes >= min_minutes AND max_minutes <= 1440",
            name="policy_version_bounds_check",
        ),
    )
    op.create_index("policy_version_programme_id_idx", "policy_version", ["programme_id"])
    op.execute("""
        ALTER TABLE policy_version ADD CONSTRAINT policy_version_no_overlap
        EXCLUDE USING gist (programme_id WITH =, effective WITH &&) WHERE (approver_id IS NOT NULL)
    """)
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'PC001';
        END $$
    """)
    op.execute("""
        CREATE FUNCTION allow_one_approval() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            approved public.policy_version := OLD;
        BEGIN
            approved.approver_id := NEW.approver_id;
            approved.approved_at := NEW.approved_at;
            IF OLD.approver_id IS NOT NULL OR NEW.approver_id IS NULL OR approved IS DISTINCT FROM NEW THEN
                RAISE EXCEPTION 'policy_version is never edited, only approved once' USING ERRCODE = 'PC002';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER policy_version_approval BEFORE UPDATE ON policy_version
        FOR EACH ROW EXECUTE FUNCTION allow_one_approval()
    """)
    op.execute("""
        CREATE TRIGGER policy_version_stays BEFORE DELETE OR TRUNCATE ON policy_version
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON policy_version FROM popcandy_ledger")
    op.execute("GRANT UPDATE (approver_id, approved_at) ON policy_version TO popcandy_ledger")


def downgrade() -> None:
    """Remove the table with what it holds."""
    op.drop_table("policy_version")
    op.execute("DROP FUNCTION allow_one_approval()")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP EXTENSION btree_gist")
