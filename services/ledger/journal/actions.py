"""Posting: the one way into the journal."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.ledger.journal.rules import Posting
from shared.database.packed import big_integers, dates, integers, small_integers, texts, uuids

MOST_POSTINGS = 2_000  # In one statement; bounds its memory.

# The outer query reads both inner ones to their end before it sorts: balances are locked last, in order of their key.
_POST = text("""
    WITH legs AS (
        INSERT INTO leg (entry_id, line, leg_count, account, partner_id, fen)
        SELECT * FROM unnest(CAST(:leg_entries AS uuid[]), CAST(:lines AS smallint[]), CAST(:leg_counts AS smallint[]),
                             CAST(:accounts AS text[]), CAST(:partners AS uuid[]), CAST(:fen AS bigint[]))
        RETURNING entry_id, account, partner_id, fen
    ), entries AS (
        INSERT INTO entry (id, programme_id, kind, source_type, source_id, source_version, reversal_of, leg_count,
                           effective_on, posted_at, currency)
        SELECT id, programme_id, kind, 'attendance', source_id, source_version, reversal_of, leg_count,
               effective_on, :now, 'CNY'
        FROM unnest(CAST(:ids AS uuid[]), CAST(:programmes AS uuid[]), CAST(:kinds AS text[]), CAST(:sources AS uuid[]),
                    CAST(:versions AS integer[]), CAST(:reversed AS uuid[]), CAST(:counts AS smallint[]),
                    CAST(:effective AS date[]))
             AS e(id, programme_id, kind, source_id, source_version, reversal_of, leg_count, effective_on)
        RETURNING id, programme_id
    )
    INSERT INTO balance AS b (programme_id, account, partner_id, fen)
    SELECT entries.programme_id, legs.account, legs.partner_id, CAST(sum(legs.fen) AS bigint)
    FROM legs JOIN entries ON entries.id = legs.entry_id
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (programme_id, account, partner_id) DO UPDATE SET fen = b.fen + EXCLUDED.fen
""")


def post(tx: Session, postings: Sequence[Posting], *, now: datetime) -> None:
    """Write entries, their legs and what they do to balances: one statement for each MOST_POSTINGS of them.

    The database refuses an entry that does not balance, a second one for the same source, version and kind, and a
    reversal that is not the first and exact one of its original; then the whole transaction has failed. Give postings
    in the order of their sources: two transactions that post the same ones then wait for each other, without deadlock.
    """
    for start in range(0, len(postings), MOST_POSTINGS):
        tx.execute(_POST, _columns(postings[start : start + MOST_POSTINGS]) | {"now": now})


def _columns(postings: Sequence[Posting]) -> dict[str, object]:
    legs = [(posting, line, leg) for posting in postings for line, leg in enumerate(posting.legs, start=1)]
    return {
        "ids": uuids(posting.id for posting in postings),
        "programmes": uuids(posting.programme_id for posting in postings),
        "kinds": texts(posting.kind for posting in postings),
        "sources": uuids(posting.source_id for posting in postings),
        "versions": integers([posting.source_version for posting in postings]),
        "reversed": uuids(posting.reversal_of for posting in postings),
        "counts": small_integers([len(posting.legs) for posting in postings]),
        "effective": dates(posting.effective_on for posting in postings),
        "leg_entries": uuids(posting.id for posting, _, _ in legs),
        "lines": small_integers([line for _, line, _ in legs]),
        "leg_counts": small_integers([len(posting.legs) for posting, _, _ in legs]),
        "accounts": texts(leg.account.value for _, _, leg in legs),
        "partners": uuids(leg.partner_id for _, _, leg in legs),
        "fen": big_integers([leg.fen for _, _, leg in legs]),
    }
