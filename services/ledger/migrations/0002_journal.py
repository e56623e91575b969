"""Give the ledger its journal, with the guards that no code of ours can forget."""

import sqlalchemy as sa
from alembic import op

revision = "0002_journal"
down_revision = "0001_policies"

# Checked once a statement for all its new entries. Each is looked up by key: the plan is kept for the whole session,
# and one made while the table was small would read all of it ever after. Names are qualified, because a runtime role
# can make a temporary table of the same name that would be found first.
SOUND = """
    CREATE FUNCTION require_sound_entries() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
    DECLARE
        wrong uuid;
    BEGIN
        SELECT n.id INTO wrong FROM new_entry n
        CROSS JOIN LATERAL (
            SELECT count(*) AS legs, sum(l.fen) AS fen FROM public.leg l WHERE l.entry_id = n.id
        ) AS found
        WHERE found.legs <> n.leg_count OR found.fen IS DISTINCT FROM 0
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'entry % does not have all its legs, or they do not sum to zero', wrong
            USING ERRCODE = 'PC003';
        END IF;
        SELECT n.id INTO wrong FROM new_entry n LEFT JOIN public.entry o ON o.id = n.reversal_of
        WHERE n.reversal_of IS NOT NULL AND (
            (o.kind, o.programme_id, o.source_type, o.source_id, o.currency, o.leg_count)
                IS DISTINCT FROM ('accrual', n.programme_id, n.source_type, n.source_id, n.currency, n.leg_count)
            OR n.effective_on < o.effective_on
            OR EXISTS (
                SELECT FROM public.leg a LEFT JOIN public.leg b
                    ON b.entry_id = n.id AND b.line = a.line
                    AND (b.account, b.partner_id, b.fen) = (a.account, a.partner_id, -a.fen)
                WHERE a.entry_id = n.reversal_of AND b.entry_id IS NULL
            )
        )
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'entry % does not undo its original exactly', wrong USING ERRCODE = 'PC004';
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    """Make the tables, seed the two accounts of the line, and take the past away from everybody."""
    account = op.create_table(
        "account",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="account_pkey"),
        sa.CheckConstraint("code ~ '^[1-9][0-9]{3}$'", name="account_code_check"),
    )
    op.bulk_insert(
        account,
        [
            {"code": "2110", "zh": "应付配捐款", "en": "Payable to partners, accrued"},
            {"code": "5110", "zh": "配捐支出", "en": "Matching expense"},
        ],
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("source_version", sa.Integer(), nullable=False),
        sa.Column("reversal_of", sa.Uuid()),
        sa.Column("leg_count", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="entry_pkey"),
        sa.UniqueConstraint(
            "source_type",
            "source_id",
            "source_version",
            "kind",
            name="entry_source_type_source_id_source_version_kind_key",
        ),
        sa.UniqueConstraint("id", "leg_count", name="entry_id_leg_count_key"),
        sa.UniqueConstraint("reversal_of", name="entry_reversal_of_key"),
        sa.ForeignKeyConstraint(["reversal_of"], ["entry.id"], name="entry_reversal_of_fkey"),
        sa.CheckConstraint("kind IN ('accrual', 'reversal')", name="entry_kind_check"),
        sa.CheckConstraint("source_type = 'attendance'", name="entry_source_type_check"),
        sa.CheckConstraint("(kind = 'reversal') = (reversal_of IS NOT NULL)", name="entry_reversal_check"),
        sa.CheckConstraint("reversal_of < id", name="entry_later_check"),
        sa.CheckConstraint("leg_count >= 2", name="entry_leg_count_check"),
        sa.CheckConstraint("currency = 'CNY'", name="entry_currency_check"),
    )
    op.create_index("entry_programme_id_idx", "entry", ["programme_id"])
    op.create_table(
        "leg",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("leg_count", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "line", name="leg_pkey"),
        sa.ForeignKeyConstraint(
            ["entry_id", "leg_count"], ["entry.id", "entry.leg_count"], name="leg_entry_id_leg_count_fkey",
            deferrable=True, initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(["account"], ["account.code"], name="leg_account_fkey"),
        sa.CheckConstraint("line BETWEEN 1 AND leg_count", name="leg_line_check"),
        sa.CheckConstraint("fen <> 0", name="leg_fen_check"),
    )  # fmt: skip
    op.create_table(
        "balance",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "account", "partner_id", name="balance_pkey"),
        sa.ForeignKeyConstraint(["account"], ["account.code"], name="balance_account_fkey"),
    )
    op.execute("ALTER TABLE balance SET (fillfactor = 50)")  # Each batch updates the same few rows.
    _guard()


def _guard() -> None:
    op.execute(SOUND)
    op.execute("""
        CREATE TRIGGER entry_is_sound AFTER INSERT ON entry REFERENCING NEW TABLE AS new_entry
        FOR EACH STATEMENT EXECUTE FUNCTION require_sound_entries()
    """)
    for table in ("entry", "leg"):
        op.execute(f"""
            CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM popcandy_ledger")
    op.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON account FROM popcandy_ledger")
    op.execute("REVOKE DELETE, TRUNCATE ON balance FROM popcandy_ledger")


def downgrade() -> None:
    """Remove the tables with what they hold."""
    for table in ("balance", "leg", "entry", "account"):
        op.drop_table(table)
    op.execute("DROP FUNCTION require_sound_entries()")
