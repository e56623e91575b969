"""What becomes of kits by the calendar: never sent, overdue, given up. What that costs is for people to decide."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.kit_returns import actions
from shared import bus, telemetry

MOST = 1_000  # Kits of one run and kind; the next one goes on.

log = telemetry.get_logger()


@bus.every("*/10 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def watch_kits(tx: Session, due_at: datetime) -> None:
    """Say of kits what their dates say, and delete addresses that nobody needs or may use any more."""
    turned = actions.turn(tx, now=due_at, limit=MOST)
    if any(turned.values()):
        log.info("kits.turned", **turned)
