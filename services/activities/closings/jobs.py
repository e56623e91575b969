"""What becomes of shifts that are over."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.closings import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every(
    "* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000
)  # A batch a minute: what is left over is the next run's.
def close_shifts(tx: Session, due_at: datetime) -> None:
    """Close a batch of the shifts that ended an hour ago or earlier."""
    closed = actions.close_shifts(tx, now=due_at)
    if closed:
        log.info("shifts.closed", shifts=closed)
