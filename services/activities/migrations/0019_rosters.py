"""Keep what partners record of who walked in, and how many guests there were."""

import sqlalchemy as sa
from alembic import op

revision = "0019_rosters"
down_revision = "0018_claims"


def upgrade() -> None:
    """Make the tables, and let a place come of a walk-in."""
    op.create_table(
        "walk_in",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="recorded", nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('recorded', 'confirmed', 'declined')", name="walk_in_state_check"),
        sa.CheckConstraint("(state = 'recorded') = (answered_at IS NULL)", name="walk_in_answered_check"),
        sa.CheckConstraint("checked_out_at > checked_in_at", name="walk_in_times_check"),
        sa.CheckConstraint("recorded_by <> volunteer_id", name="walk_in_two_keys_check"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="walk_in_partner_id_fkey"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="walk_in_shift_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="walk_in_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="walk_in_pkey"),
        sa.UniqueConstraint("shift_id", "volunteer_id", name="walk_in_shift_id_volunteer_id_key"),
    )
    op.create_index("walk_in_programme_id_id_idx", "walk_in", ["programme_id", "id"])
    op.create_index("walk_in_partner_id_id_idx", "walk_in", ["partner_id", "id"])
    op.create_index("walk_in_volunteer_id_id_idx", "walk_in", ["volunteer_id", "id"])
    op.create_table(
        "guest_count",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("guests", sa.Integer(), nullable=False),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("guests >= 0", name="guest_count_guests_check"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="guest_count_shift_id_fkey"),
        sa.PrimaryKeyConstraint("shift_id", name="guest_count_pkey"),
    )
    op.drop_constraint("sign_up_source_check", "sign_up")
    op.create_check_constraint("sign_up_source_check", "sign_up", "source IN ('self', 'import', 'walk_in')")


def downgrade() -> None:
    """Remove them; places that came of walk-ins stay, as if they had been brought in."""
    op.execute("UPDATE sign_up SET source = 'import' WHERE source = 'walk_in'")
    op.drop_constraint("sign_up_source_check", "sign_up")
    op.create_check_constraint("sign_up_source_check", "sign_up", "source IN ('self', 'import')")
    op.drop_table("guest_count")
    op.drop_table("walk_in")
