"""What is decided of work by the calendar: silence accepts, and what never came is abandoned."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.acceptances import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every(
    "* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000
)  # A batch a minute: what is left over is the next run's.
def end_deliverables(tx: Session, due_at: datetime) -> None:
    """Accept a batch of what the partner has left unanswered, and abandon what never came."""
    ended = actions.end(tx, now=due_at)
    if ended:
        log.info("deliverables.ended", ended=ended)
