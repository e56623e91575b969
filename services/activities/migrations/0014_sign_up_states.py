"""Say of each sign-up how it stands: a line for places, offers, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0014_sign_up_states"
down_revision = "0013_reviews"

STATES = (
    "state IN ('waitlisted', 'offered', 'confirmed', 'offer_expired', 'withdrawn', 'late_withdrawn', 'excused', "
    "'cancelled_by_host', 'attended', 'missed', 'no_show')"
)


def upgrade() -> None:
    """Add the states; those who had given a place back are `withdrawn`, all others keep theirs."""
    op.add_column("sign_up", sa.Column("state", sa.Text(), server_default="confirmed", nullable=False))
    op.add_column("sign_up", sa.Column("ended_because", sa.Text(), nullable=True))
    op.add_column("sign_up", sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("sign_up", "withdrawn_at", new_column_name="ended_at")
    op.execute("UPDATE sign_up SET state = 'withdrawn' WHERE ended_at IS NOT NULL")
    op.create_check_constraint("sign_up_state_check", "sign_up", STATES)
    op.create_check_constraint(
        "sign_up_ended_check", "sign_up", "(state IN ('waitlisted', 'offered', 'confirmed')) = (ended_at IS NULL)"
    )
    op.create_check_constraint("sign_up_offer_check", "sign_up", "(state = 'offered') = (offer_expires_at IS NOT NULL)")
    op.create_check_constraint(
        "sign_up_ended_because_check", "sign_up", "ended_because IS NULL OR ended_at IS NOT NULL"
    )
    op.create_index(
        "sign_up_shift_id_signed_up_at_id_idx", "sign_up", ["shift_id", "signed_up_at", "id"],
        postgresql_where=sa.text("state = 'waitlisted'"),
    )  # fmt: skip
    op.create_index(
        "sign_up_offer_expires_at_idx", "sign_up", ["offer_expires_at"],
        postgresql_where=sa.text("state = 'offered'"),
    )  # fmt: skip


def downgrade() -> None:
    """Keep places and those that were given back; whoever waited or was asked is as if they had given it back."""
    op.drop_index("sign_up_offer_expires_at_idx", "sign_up")
    op.drop_index("sign_up_shift_id_signed_up_at_id_idx", "sign_up")
    for name in ("ended_because", "offer", "ended", "state"):
        op.drop_constraint(f"sign_up_{name}_check", "sign_up")
    op.execute(
        "UPDATE shift SET taken = taken - offered.places FROM "  # An offer was counted; as given back it is not.
        "(SELECT shift_id, count(*) AS places FROM sign_up WHERE state = 'offered' GROUP BY shift_id) offered "
        "WHERE shift.id = offered.shift_id"
    )
    op.execute("UPDATE sign_up SET ended_at = NULL WHERE state IN ('attended', 'missed', 'no_show')")
    op.execute("UPDATE sign_up SET ended_at = now() WHERE state IN ('waitlisted', 'offered')")
    op.alter_column("sign_up", "ended_at", new_column_name="withdrawn_at")
    for name in ("offer_expires_at", "ended_because", "state"):
        op.drop_column("sign_up", name)
