"""What the bus has kept for long enough is deleted, a batch a time; `shared.privacy.retention` says how long that is.

Rows whose times are the server's are compared with the server's clock, events with the programme's.
"""

from datetime import datetime, timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from shared.privacy import retention

MONTHS_AT_ONCE = 3  # Each locks the archive for a moment.

# A letter that an unfinished replay has in hand stays; with others goes what their replays wrote of them.
_LETTERS = text("""
    WITH old AS (
        SELECT id FROM dead_letter AS letter WHERE state <> 'dead' AND closed_at < now() - CAST(:age AS interval)
            AND NOT EXISTS (SELECT FROM replay_letter JOIN replay ON replay.id = replay_id
                WHERE dead_letter_id = letter.id AND finished_at IS NULL)
        ORDER BY closed_at LIMIT :limit FOR UPDATE SKIP LOCKED),
    tries AS (DELETE FROM replay_letter USING old WHERE dead_letter_id = old.id)
    DELETE FROM dead_letter USING old WHERE dead_letter.id = old.id RETURNING dead_letter.id
""")
_REPLAYS = text("""
    DELETE FROM replay WHERE id IN (
        SELECT id FROM replay AS done WHERE finished_at < now() - CAST(:age AS interval)
            AND NOT EXISTS (SELECT FROM replay_letter WHERE replay_id = done.id) LIMIT :limit)
    RETURNING id
""")
_RUNS = text("""
    DELETE FROM task_run WHERE id IN (
        SELECT id FROM task_run AS run
        WHERE state = 'failed' AND finished_at < now() - CAST(:age AS interval)
            AND (key IS NULL OR task IN (SELECT name FROM schedule)) -- A schedule never comes back to an instant.
            AND NOT EXISTS (SELECT FROM dead_letter WHERE event_id = run.id AND dead_letter.state = 'dead')
        ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_MONTHS = text("SELECT month FROM drop_archive_months(:before, :limit) AS month")


def forget_expired(tx: Session, *, now: datetime) -> dict[str, int]:
    """Delete a batch of each kind of what has been kept for long enough; return how many of each."""
    letters = retention.age("dead_letters")
    months = {"before": retention.before("event_archive", now), "limit": MONTHS_AT_ONCE}
    return {
        "dead_letters": _delete(tx, _LETTERS, letters),
        "replays": _delete(tx, _REPLAYS, letters),
        "failed_task_runs": _delete(tx, _RUNS, retention.age("failed_task_runs")),
        "event_archive_months": len(tx.execute(_MONTHS, months).all()),
    }


def _delete(tx: Session, statement: TextClause, age: timedelta) -> int:
    return len(tx.execute(statement, {"age": age, "limit": retention.AT_ONCE}).all())
