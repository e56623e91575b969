"""What becomes of work by the calendar: it is owed when its shift is over, and overdue when it does not come."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.deliverables import actions
from shared import bus, telemetry

MOST = 1_000  # Of one run; the next one goes on.

log = telemetry.get_logger()


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def owe_deliverables(tx: Session, due_at: datetime) -> None:
    """Write down what is owed for a batch of the shifts that are over."""
    shifts = actions.owe(tx, now=due_at)
    if shifts:
        log.info("deliverables.owed", shifts=shifts)


@bus.every("*/10 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def lapse_deliverables(tx: Session, due_at: datetime) -> None:
    """Let a batch of the work be overdue that did not come in time."""
    lapsed = actions.lapse(tx, now=due_at, limit=MOST)
    if lapsed:
        log.info("deliverables.lapsed", lapsed=lapsed)
