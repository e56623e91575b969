"""Record consents and what was read or erased of a person; let people be erased and places be given back."""

import sqlalchemy as sa
from alembic import op

revision = "0008_privacy"
down_revision = "0007_imports_by_the_kit"

APPEND_ONLY = ("consent", "personal_data_access")


def upgrade() -> None:
    """Make the tables and columns."""
    op.add_column("volunteer", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE volunteer SET erased_at = now() WHERE employee_number LIKE 'erased:%'")  # A way back keeps them.
    op.create_check_constraint(
        "volunteer_erased_check", "volunteer", "(erased_at IS NULL) = (employee_number NOT LIKE 'erased:%')"
    )
    op.add_column("sign_up", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("scan_scanned_at_idx", "scan", ["scanned_at"], postgresql_using="brin")
    op.create_table(
        "suppressed_number",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "digest", name="suppressed_number_pkey"),
    )
    op.create_index("suppressed_number_erased_at_idx", "suppressed_number", ["erased_at"])
    op.create_table(
        "consent",
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("text_digest", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('given', 'withdrawn')", name="consent_decision_check"),
        sa.CheckConstraint("language IN ('zh', 'en')", name="consent_language_check"),
        sa.CheckConstraint("number > 0 AND text_version > 0", name="consent_number_check"),
        sa.CheckConstraint("recorded_by = volunteer_id OR reason IS NOT NULL", name="consent_on_behalf_check"),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="consent_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("volunteer_id", "purpose", "number", name="consent_pkey"),
    )
    op.create_table(
        "personal_data_access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("accessed_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("accessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('export', 'erasure')", name="personal_data_access_kind_check"),
        sa.CheckConstraint(
            "accessed_by = volunteer_id OR reason IS NOT NULL", name="personal_data_access_on_behalf_check"
        ),
        sa.ForeignKeyConstraint(["volunteer_id"], ["volunteer.id"], name="personal_data_access_volunteer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="personal_data_access_pkey"),
    )
    op.create_index("personal_data_access_volunteer_id_id_idx", "personal_data_access", ["volunteer_id", "id"])
    op.create_index(
        "personal_data_access_erasure_key", "personal_data_access", ["volunteer_id"], unique=True,
        postgresql_where=sa.text("kind = 'erasure'"),
    )  # fmt: skip
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM popcandy_activities")


def downgrade() -> None:
    """Remove them; who was erased keeps the pseudonyms, and places that were given back are free."""
    op.drop_table("personal_data_access")
    op.drop_table("consent")
    op.drop_table("suppressed_number")
    op.drop_index("scan_scanned_at_idx", "scan")
    op.execute("DELETE FROM sign_up WHERE withdrawn_at IS NOT NULL")
    op.drop_column("sign_up", "withdrawn_at")
    op.drop_constraint("volunteer_erased_check", "volunteer")
    op.drop_column("volunteer", "erased_at")
