"""Draws are held by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.draws import actions
from shared import bus, clock, telemetry

log = telemetry.get_logger()


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def hold_draws(tx: Session, _due_at: datetime) -> None:
    """Hold the draws that are due; late, whoever is drawn still has a whole window to answer."""
    held = actions.hold_due(tx, now=clock.now())
    if held:
        log.info("draws.held", draws=held)
