"""What is published by the calendar."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.reviews import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def publish_approved(tx: Session, due_at: datetime) -> None:
    """Publish what is approved and whose round's publish time has come: a batch, and what is left over next time."""
    log.info("proposals.published", listings=actions.publish_approved(tx, now=due_at))
