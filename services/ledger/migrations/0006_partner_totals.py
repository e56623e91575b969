"""Give the ledger totals of donations by partner and month, and by partner: a waterfall then does not grow with it."""

import sqlalchemy as sa
from alembic import op

revision = "0006_partner_totals"
down_revision = "0005_partner_lists"

SUMS = (
    "participations", "recorded_minutes", "matchable_minutes", "below_minimum_minutes", "above_ceiling_minutes",
    "step_rounding_minutes", "credited_minutes", "fen",
)  # fmt: skip
ADDS_UP = "matchable_minutes = credited_minutes + below_minimum_minutes + above_ceiling_minutes + step_rounding_minutes"


def upgrade() -> None:
    """Make the table and fill it with what stands; nobody posts meanwhile."""
    op.create_table(
        "partner_total",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("service_month", sa.Date()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.UniqueConstraint(
            "programme_id",
            "service_month",
            "partner_id",
            name="partner_total_programme_id_service_month_partner_id_key",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("EXTRACT(day FROM service_month) = 1", name="partner_total_first_day_check"),
        sa.CheckConstraint(ADDS_UP, name="partner_total_adds_up_check"),
    )
    op.execute("ALTER TABLE partner_total SET (fillfactor = 50)")  # Each batch updates the same few rows.
    op.execute("REVOKE DELETE, TRUNCATE ON partner_total FROM popcandy_ledger")
    op.execute("LOCK TABLE donation IN SHARE MODE")
    op.execute("""
        WITH months AS (
            SELECT programme_id, partner_id, CAST(date_trunc('month', CAST(service_on AS timestamp)) AS date) AS month,
                   count(*) FILTER (WHERE state <> 'voided') AS participations, sum(recorded_minutes) AS recorded,
                   sum(matchable_minutes) AS matchable, sum(below_minimum_minutes) AS below,
                   sum(above_ceiling_minutes) AS above, sum(step_rounding_minutes) AS rounding,
                   sum(credited_minutes) AS credited, sum(fen) AS fen
            FROM donation WHERE superseded_at IS NULL GROUP BY 1, 2, 3
        )
        INSERT INTO partner_total
        SELECT programme_id, partner_id, month, sum(participations), sum(recorded), sum(matchable), sum(below),
               sum(above), sum(rounding), sum(credited), sum(fen)
        FROM months GROUP BY GROUPING SETS ((1, 2, 3), (1, 2))
    """)


def downgrade() -> None:
    """Remove the table; the donations say the same."""
    op.drop_table("partner_total")
