"""Keep the terms of work that is handed in, the work that each place owes, what was handed in, and its files."""

import sqlalchemy as sa
from alembic import op

revision = "0024_deliverables"
down_revision = "0023_certificates"

INDEXES = {
    "deliverable_programme_id_id_idx": ["programme_id", "id"],
    "deliverable_programme_id_due_until_id_idx": ["programme_id", "due_until", "id"],
    "deliverable_partner_id_id_idx": ["partner_id", "id"],
    "deliverable_volunteer_id_id_idx": ["volunteer_id", "id"],
    "deliverable_shift_id_idx": ["shift_id"],
}
UNOWED = "minutes_per_piece IS NOT NULL AND owed_at IS NULL"


def upgrade() -> None:
    """Make them; what was published before has no terms, and stays so."""
    _terms()
    _deliverable()
    _submission()
    _file()


def _terms() -> None:
    op.add_column("listing", sa.Column("criteria", sa.Text(), nullable=True))
    op.add_column("listing", sa.Column("minutes_per_piece", sa.Integer(), nullable=True))
    op.create_check_constraint("listing_terms_check", "listing", "(criteria IS NULL) = (minutes_per_piece IS NULL)")
    op.create_check_constraint("listing_minutes_per_piece_check", "listing", "minutes_per_piece > 0")
    op.add_column("shift", sa.Column("minutes_per_piece", sa.Integer(), nullable=True))
    op.add_column("shift", sa.Column("owed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("shift_unowed_idx", "shift", ["ends_at"], postgresql_where=sa.text(UNOWED))
    op.add_column("attendance", sa.Column("agreed_minutes", sa.Integer(), nullable=True))
    op.create_check_constraint(
        "attendance_agreed_minutes_check", "attendance", "agreed_minutes >= 0 AND matchable_minutes <= agreed_minutes"
    )


def _deliverable() -> None:
    op.create_table(
        "deliverable",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("sign_up_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("minutes_per_piece", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="due", nullable=False),
        sa.Column("due_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submissions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revisions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("accepted_pieces", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_by_silence", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(
            "CASE state WHEN 'accepted' THEN accepted_pieces IS NOT NULL AND accepted_pieces = pieces "
            "WHEN 'partially_accepted' THEN accepted_pieces IS NOT NULL AND accepted_pieces BETWEEN 1 AND pieces - 1 "
            "ELSE accepted_pieces IS NULL END",
            name="deliverable_accepted_pieces_check",
        ),
        sa.CheckConstraint(
            "revisions BETWEEN 0 AND 2 AND submissions BETWEEN 0 AND 3", name="deliverable_counts_check"
        ),
        sa.CheckConstraint(
            "(state IN ('accepted', 'partially_accepted', 'rejected')) = (decided_at IS NOT NULL)",
            name="deliverable_decided_check",
        ),
        sa.CheckConstraint(
            "decided_at IS NULL OR is_by_silence OR decided_by IS NOT NULL", name="deliverable_decided_by_check"
        ),
        sa.CheckConstraint(
            "state NOT IN ('submitted', 'revision_requested', 'accepted', 'partially_accepted', 'rejected') "
            "OR submissions > 0",
            name="deliverable_handed_in_check",
        ),
        sa.CheckConstraint("minutes_per_piece > 0", name="deliverable_minutes_per_piece_check"),
        sa.CheckConstraint("(submissions = 0) = (pieces IS NULL)", name="deliverable_pieces_check"),
        sa.CheckConstraint(
            "NOT is_by_silence OR (state = 'accepted' AND decided_by IS NULL)", name="deliverable_silence_check"
        ),
        sa.CheckConstraint(
            "state IN ('due', 'submitted', 'revision_requested', 'accepted', 'partially_accepted', 'rejected', "
            "'overdue', 'abandoned', 'released')",
            name="deliverable_state_check",
        ),
        sa.CheckConstraint("decided_by <> volunteer_id", name="deliverable_two_keys_check"),
        sa.CheckConstraint(
            "(state IN ('due', 'submitted', 'revision_requested', 'overdue')) = (waits_until IS NOT NULL)",
            name="deliverable_waits_until_check",
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="deliverable_listing_id_fkey"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="deliverable_partner_id_fkey"),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name="deliverable_shift_id_fkey"),
        sa.ForeignKeyConstraint(["sign_up_id"], ["sign_up.id"], name="deliverable_sign_up_id_fkey"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="deliverable_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="deliverable_pkey"),
        sa.UniqueConstraint("sign_up_id", name="deliverable_sign_up_id_key"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "deliverable", columns)
    waiting = sa.text("waits_until IS NOT NULL")
    op.create_index("deliverable_waits_until_idx", "deliverable", ["waits_until"], postgresql_where=waiting)


def _submission() -> None:
    op.create_table(
        "deliverable_submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("deliverable_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer IN ('revision_requested', 'accepted', 'partially_accepted', 'rejected')",
            name="deliverable_submission_answer_check",
        ),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="deliverable_submission_answered_check"),
        sa.CheckConstraint("number BETWEEN 1 AND 3 AND pieces > 0", name="deliverable_submission_numbers_check"),
        sa.ForeignKeyConstraint(
            ["deliverable_id"], ["deliverable.id"], name="deliverable_submission_deliverable_id_fkey"
        ),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="deliverable_submission_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="deliverable_submission_pkey"),
        sa.UniqueConstraint("deliverable_id", "number", name="deliverable_submission_deliverable_id_number_key"),
    )
    op.create_index("deliverable_submission_volunteer_id_idx", "deliverable_submission", ["volunteer_id"])


def _file() -> None:
    op.create_table(
        "work_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("octet_length(content) = size", name="work_file_content_check"),
        sa.CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="work_file_forgotten_check"),
        sa.CheckConstraint("number BETWEEN 1 AND 10", name="work_file_number_check"),
        sa.CheckConstraint("size BETWEEN 1 AND 10485760", name="work_file_size_check"),
        sa.ForeignKeyConstraint(["submission_id"], ["deliverable_submission.id"], name="work_file_submission_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="work_file_pkey"),
        sa.UniqueConstraint("submission_id", "number", name="work_file_submission_id_number_key"),
    )
    # Nearly all types are compressed in themselves: packing them again costs time and saves nothing.
    op.execute("ALTER TABLE work_file ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Remove them; what was settled stays, as it was matched."""
    for table in ("work_file", "deliverable_submission", "deliverable"):
        op.drop_table(table)
    op.drop_constraint("attendance_agreed_minutes_check", "attendance")
    op.drop_column("attendance", "agreed_minutes")
    op.drop_index("shift_unowed_idx", "shift")
    op.drop_column("shift", "owed_at")
    op.drop_column("shift", "minutes_per_piece")
    op.drop_constraint("listing_minutes_per_piece_check", "listing")
    op.drop_constraint("listing_terms_check", "listing")
    op.drop_column("listing", "minutes_per_piece")
    op.drop_column("listing", "criteria")
