"""What sheets hold of people is kept for a stated time: the records that came of them are the truth, not the sheets."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared import telemetry
from shared.documents.finding import holds_any
from shared.privacy import naming, retention

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
    SELECT id, errors, samples, file_name FROM sheet_import
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
    """Forget every import of a programme that names one of these texts, as if its time were over; return how many.

    It goes whole: whoever sent the sheet has it. The caller holds `lock_for_erasure`.
    """
    named = [
        row.id
        for row in tx.execute(_NAMED, {"programme_id": programme_id}).all()
        if _shows_any(row, texts) or _names_any(tx, row.id, texts)
    ]
    return len(tx.execute(_FORGET_THESE, {"ids": named, "now": now}).all())


def _shows_any(row: Row[Any], texts: Collection[str]) -> bool:
    if row.file_name is not None and any(_is_chinese(text) and text in row.file_name for text in texts):
        return True
    shown = naming.strings([row.errors, row.samples, row.file_name])
    return any(naming.names_any(value, texts) for value in shown)


def _is_chinese(text: str) -> bool:
    """Say whether a text may be a Chinese name: in a file's name nothing says where that ends."""
    return len(text) > 1 and not text.isascii()


def _names_any(tx: Session, import_id: UUID, texts: Collection[str]) -> bool:
    """Look into what is large, one import at a time."""
    reject_file = tx.execute(_REJECTS, {"id": import_id}).scalar_one()
    if reject_file is not None and holds_any(reject_file, texts):
        return True
    parts = tx.execute(_PARTS, {"id": import_id}).scalars()
    return any(naming.holds_any(part, texts) for part in parts)
