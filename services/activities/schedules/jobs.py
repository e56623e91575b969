"""Shifts that lack people, or a decision, are told of in time."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.schedules import actions
from shared import bus, clock, telemetry

log = telemetry.get_logger()


@bus.every("*/10 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def watch_shifts(tx: Session, _due_at: datetime) -> None:
    """Tell which shifts fall short and ask for decisions, of what begins from now on; late it tells of those left."""
    now = clock.now()
    short, undecided = actions.tell_short(tx, now=now), actions.ask_for_decisions(tx, now=now)
    if short or undecided:
        log.info("shifts.watched", short=short, undecided=undecided)
