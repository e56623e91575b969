"""What sheets hold of people is kept for a stated time: the records that came of them are the truth, not the sheets."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import telemetry

KEPT: Final = timedelta(days=30)  # After staging, whatever became of it.

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


def forget(tx: Session, *, now: datetime) -> int:
    """Remove names, staged rows and reject files of imports older than KEPT; those not committed by then expire."""
    forgotten = len(tx.execute(_FORGET, {"now": now, "before": now - KEPT}).all())
    log.info("imports.forgotten", imports=forgotten)
    return forgotten
