"""What activities deletes by the calendar (docs/retention.md)."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.personal_data import actions
from shared import bus, telemetry
from shared.bus import forgetting

log = telemetry.get_logger()


@bus.every(
    "*/10 2-4 * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000
)  # At night, a batch a time: what is left over is the next run's.
def forget_expired(tx: Session, due_at: datetime) -> None:
    """Delete what has been kept for long enough, at most a batch of each kind, and log how many that were."""
    forgotten = forgetting.forget_expired(tx, now=due_at) | actions.forget_expired(tx, now=due_at)
    log.info("retention.forgotten", **forgotten)
