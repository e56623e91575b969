"""What becomes of claims by the calendar: they are passed on, and they end. No timer decides for one."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.claims import actions
from shared import bus, telemetry

MOST = 1_000  # Claims of one run; the next one goes on.

log = telemetry.get_logger()


@bus.every("*/10 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def pass_on_claims(tx: Session, due_at: datetime) -> None:
    """Put claims before the reviewers that the other side has left unanswered, and end those that are over."""
    passed_on = actions.pass_on(tx, now=due_at, limit=MOST)
    expired = actions.expire(tx, now=due_at, limit=MOST)
    if passed_on or expired:
        log.info("claims.passed_on", passed_on=passed_on, expired=expired)
