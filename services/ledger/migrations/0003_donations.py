"""Give the ledger its donations: one row for each version of an attendance that took effect."""

import sqlalchemy as sa
from alembic import op

revision = "0003_donations"
down_revision = "0002_journal"

CURRENT = sa.text("superseded_at IS NULL")
INDEXES = {
    "programme": ["programme_id", "id"],
    "partner": ["partner_id", "id"],
    "listing": ["listing_id", "id"],
    "shift": ["shift_id", "id"],
    "volunteer": ["volunteer_id", "id"],
    "service": ["programme_id", "service_on"],
}


def upgrade() -> None:
    """Make the table, and let nothing change in it but that a version is superseded, once."""
    op.create_table(
        "donation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attendance_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("recorded_minutes", sa.Integer(), nullable=False),
        sa.Column("matchable_minutes", sa.Integer(), nullable=False),
        sa.Column("below_minimum_minutes", sa.Integer(), nullable=False),
        sa.Column("above_ceiling_minutes", sa.Integer(), nullable=False),
        sa.Column("step_rounding_minutes", sa.Integer(), nullable=False),
        sa.Column("credited_minutes", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid()),
        sa.Column("entry_id", sa.Uuid()),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", "version", name="donation_pkey"),
        sa.UniqueConstraint("attendance_id", "version", name="donation_attendance_id_version_key"),
        sa.ForeignKeyConstraint(["policy_version_id"], ["policy_version.id"], name="donation_policy_version_id_fkey"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="donation_entry_id_fkey"),
        *_checks(),
    )
    op.create_index("donation_current_key", "donation", ["attendance_id"], unique=True, postgresql_where=CURRENT)
    for name, columns in INDEXES.items():
        op.create_index(f"donation_{name}_idx", "donation", columns, postgresql_where=CURRENT)
    _guard()


def _checks() -> list[sa.CheckConstraint]:
    checks = {
        "version": "version >= 1",
        "state": "state IN ('settled', 'revised', 'voided')",
        "bounds": "recorded_minutes >= matchable_minutes AND credited_minutes >= 0 AND fen >= 0",
        "drops": "below_minimum_minutes >= 0 AND above_ceiling_minutes >= 0 AND step_rounding_minutes >= 0",
        "adds_up": "matchable_minutes = "
        "credited_minutes + below_minimum_minutes + above_ceiling_minutes + step_rounding_minutes",
        "policy": "(state = 'voided') = (policy_version_id IS NULL)",
        "voided": "state <> 'voided' OR recorded_minutes = 0",
        "entry": "(fen = 0) = (entry_id IS NULL)",
    }
    return [sa.CheckConstraint(check, name=f"donation_{name}_check") for name, check in checks.items()]


def _guard() -> None:
    op.execute("""
        CREATE FUNCTION allow_one_superseding() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            superseded public.donation := OLD;
        BEGIN
            superseded.superseded_at := NEW.superseded_at;
            IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL OR superseded IS DISTINCT FROM NEW THEN
                RAISE EXCEPTION 'donation is never edited, only superseded once' USING ERRCODE = 'PC005';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER donation_superseding BEFORE UPDATE ON donation
        FOR EACH ROW EXECUTE FUNCTION allow_one_superseding()
    """)
    op.execute("""
        CREATE TRIGGER donation_stays BEFORE DELETE OR TRUNCATE ON donation
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON donation FROM popcandy_ledger")
    op.execute("GRANT UPDATE (superseded_at) ON donation TO popcandy_ledger")


def downgrade() -> None:
    """Remove the table with what it holds."""
    op.drop_table("donation")
    op.execute("DROP FUNCTION allow_one_superseding()")
