"""What becomes of proposals by the calendar."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.proposals import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every("*/5 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def expire_proposals(tx: Session, due_at: datetime) -> None:
    """Give up what was not handed in by its round's review deadline: a batch, and what is left over next time."""
    log.info("proposals.expired", proposals=actions.expire_overdue(tx, now=due_at))
