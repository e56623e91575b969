"""What activities does about manifests by the calendar."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.manifests import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every("7 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=300_000)
def count_days(tx: Session, due_at: datetime) -> None:
    """Count over the days that have changed, of the programmes where it is night; each hour it is somewhere."""
    made = actions.count_nightly(tx, now=due_at)
    if made:
        log.info("days.manifested", days=made)
