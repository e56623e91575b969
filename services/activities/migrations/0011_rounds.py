"""Call for proposals week by week."""

import sqlalchemy as sa
from alembic import op

revision = "0011_rounds"
down_revision = "0010_partners"

MOMENTS = ("opens", "closes", "review", "publish")


def upgrade() -> None:
    """Make the tables."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    moments = [
        column
        for moment in MOMENTS
        for column in (
            sa.Column(f"{moment}_weekday", sa.Integer(), nullable=False),
            sa.Column(f"{moment}_time", sa.Time(), nullable=False),
        )
    ]
    op.create_table(
        "round_calendar",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        *moments,
        sa.Column("weeks_ahead", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            " AND ".join(f"{moment}_weekday BETWEEN 1 AND 7" for moment in MOMENTS),
            name="round_calendar_weekdays_check",
        ),
        sa.CheckConstraint("weeks_ahead BETWEEN 1 AND 12", name="round_calendar_weeks_ahead_check"),
        sa.CheckConstraint("target >= 0", name="round_calendar_target_check"),
        sa.PrimaryKeyConstraint("programme_id", name="round_calendar_pkey"),
    )
    op.create_table(
        "round",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("week_on", sa.Date(), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("moved_because", sa.Text(), nullable=True),
        sa.Column("cancelled_because", sa.Text(), nullable=True),
        sa.CheckConstraint("number > 0", name="round_number_check"),
        sa.CheckConstraint(
            "opens_at < closes_at AND closes_at <= review_by AND review_by <= publish_at", name="round_times_check"
        ),
        sa.CheckConstraint("target >= 0", name="round_target_check"),
        sa.CheckConstraint(
            "state IN ('planned', 'open', 'closed', 'published', 'cancelled')", name="round_state_check"
        ),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="round_cancelled_because_check"
        ),
        sa.PrimaryKeyConstraint("id", name="round_pkey"),
        sa.UniqueConstraint("programme_id", "number", name="round_programme_id_number_key"),
        sa.UniqueConstraint("programme_id", "week_on", name="round_programme_id_week_on_key"),
    )
    op.execute("""
        ALTER TABLE round ADD CONSTRAINT round_no_overlap
        EXCLUDE USING gist (programme_id WITH =, tstzrange(opens_at, closes_at) WITH &&) WHERE (state <> 'cancelled')
    """)
    op.create_index("round_programme_id_id_idx", "round", ["programme_id", "id"])
    op.create_index("round_programme_id_opens_at_id_idx", "round", ["programme_id", "opens_at", "id"])
    op.create_index(
        "round_due_idx", "round", ["opens_at"], postgresql_where=sa.text("state IN ('planned', 'open', 'closed')")
    )


def downgrade() -> None:
    """Remove the tables with what they hold."""
    op.drop_table("round")
    op.drop_table("round_calendar")
    op.execute("DROP EXTENSION btree_gist")
