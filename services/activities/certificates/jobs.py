"""What activities does about certificates by the calendar."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.certificates import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every("*/10 1 * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def supersede_certificates(tx: Session, due_at: datetime) -> None:
    """Mark certificates whose minutes hold no longer, some hundreds a run, and log how many those were."""
    log.info("certificates.superseded", certificates=actions.supersede_outdated(tx, now=due_at))
