"""Keep by what listings are found: their words, and the skills that they ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0026_search"
down_revision = "0025_kits"

_SKILLS = """
    UPDATE listing SET skills = asked.skills FROM (
        SELECT p.listing_id, array_agg(DISTINCT coalesce(s.code, btrim(word)) ORDER BY coalesce(s.code, btrim(word)))
            AS skills
        FROM proposal p
            CROSS JOIN jsonb_path_query(p.content, '$.positions[*].skills[*]') AS each(word_json)
            CROSS JOIN LATERAL (SELECT each.word_json #>> '{}' AS word) said
            CROSS JOIN LATERAL (SELECT lower(btrim(normalize(word, NFKC))) AS folded) f
            LEFT JOIN LATERAL (
                SELECT code FROM skill WHERE skill.programme_id = p.programme_id
                    AND folded IN (lower(code), lower(btrim(normalize(title_zh, NFKC))),
                                   lower(btrim(normalize(title_en, NFKC))))
                ORDER BY lower(code) = folded DESC, code LIMIT 1) s ON true
        WHERE p.listing_id IS NOT NULL AND btrim(word) <> '' GROUP BY p.listing_id) asked
    WHERE listing.id = asked.listing_id
"""
_WORDS = """
    INSERT INTO listing_words (listing_id, programme_id, partner_name, version, words)
    SELECT id, programme_id, '', 0, '' FROM listing
"""


def upgrade() -> None:
    """Make the table; a timer fills in the words of listings that are published already, some hundreds a minute."""
    op.execute("UPDATE listing SET city = btrim(city) WHERE city <> btrim(city)")  # It is looked for as it stands.
    op.add_column("listing", sa.Column("skills", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.execute(_SKILLS)
    op.create_index("listing_skills_idx", "listing", ["skills"], postgresql_using="gin")
    op.create_table(
        "listing_words",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.CheckConstraint("version >= 0", name="listing_words_version_check"),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name="listing_words_listing_id_fkey"),
        sa.PrimaryKeyConstraint("listing_id", name="listing_words_pkey"),
    )
    op.execute(_WORDS)
    op.create_index("listing_words_words_idx", "listing_words", ["words"], postgresql_using="gin")


def downgrade() -> None:
    """Remove them; proposals still say which skills they ask for."""
    op.drop_table("listing_words")
    op.drop_index("listing_skills_idx", "listing")
    op.drop_column("listing", "skills")
