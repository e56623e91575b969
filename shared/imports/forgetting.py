"""What sheets hold of people is kept for a stated time: the records that came of them are the truth, not the sheets."""

import json
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import telemetry
from shared.documents.finding import holds_any
from shared.privacy import retention

log = telemetry.get_logger()

# One that is being brought in is left until its run is over; a run that has failed may be tried again until then.
_FORGET = text("""
    WITH over AS (
        SELECT i.id FROM sheet_import i LEFT JOIN task_run r ON r.id = i.run_id
        WHERE i.forgotten_at IS NULL AND i.staged_at <= :before
            AND NOT (i.state = 'committing' AND coalesce(r.state, 'failed') IN ('queued', 'running'))
        ORDER BY i.id FOR UPDATE OF i SKIP LOCKED
    ), emptied AS (
        DELETE FROM sheet_import_rows USING over WHERE import_id = over.id
    )
    UPDATE sheet_import i SET forgotten_at = :now, file_name = NULL, reject_file = NULL, errors = '[]', samples = '{}',
        state = CASE WHEN state IN ('staged', 'committing') THEN 'expired' ELSE state END
    FROM over WHERE i.id = over.id RETURNING i.id
""")
_NAMED = text("""
    SELECT id, errors::text || samples::text || coalesce(file_name, '') AS shown FROM sheet_import
    WHERE programme_id = :programme_id AND forgotten_at IS NULL ORDER BY id FOR UPDATE
""")
_REJECTS = text("SELECT reject_file FROM sheet_import WHERE id = :id")
_PARTS = text("SELECT body FROM sheet_import_rows WHERE import_id = :id")
_FORGET_THESE = text("""
    WITH over AS (
        SELECT unnest(CAST(:ids AS uuid[])) AS id
    ), emptied AS (
        DELETE FROM sheet_import_rows USING over WHERE import_id = over.id
    )
    UPDATE sheet_import i SET forgotten_at = :now, file_name = NULL, reject_file = NULL, errors = '[]', samples = '{}',
        state = CASE WHEN state IN ('staged', 'committing') THEN 'expired' ELSE state END
    FROM over WHERE i.id = over.id RETURNING i.id
""")


def forget(tx: Session, *, now: datetime) -> int:
    """Remove names, staged rows and reject files of imports whose time is over; those not committed by then expire."""
    forgotten = len(tx.execute(_FORGET, {"now": now, "before": retention.before("imports", now)}).all())
    log.info("imports.forgotten", imports=forgotten)
    return forgotten


def forget_person(tx: Session, *, programme_id: UUID, texts: Collection[str], now: datetime) -> int:
    """Forget every import of a programme that holds one of these texts, as if its time were over; return how many.

    It goes whole: whoever sent the sheet has it. The caller holds `lock_for_erasure`.
    """
    spellings = {spelling for text in texts for spelling in (text, json.dumps(text)[1:-1])}
    named = [
        row.id
        for row in tx.execute(_NAMED, {"programme_id": programme_id}).all()
        if any(spelling in row.shown for spelling in spellings) or _names_any(tx, row.id, texts, spellings)
    ]
    return len(tx.execute(_FORGET_THESE, {"ids": named, "now": now}).all())


def _names_any(tx: Session, import_id: UUID, texts: Collection[str], spellings: Collection[str]) -> bool:
    """Look into what is large, one import at a time."""
    reject_file = tx.execute(_REJECTS, {"id": import_id}).scalar_one()
    if reject_file is not None and holds_any(reject_file, texts):
        return True
    parts = tx.execute(_PARTS, {"id": import_id}).scalars()
    return any(spelling in part.decode() for part in parts for spelling in spellings)
