"""Offers that nobody answers end by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.sign_ups import actions
from shared import bus, clock, telemetry

log = telemetry.get_logger()


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def expire_offers(tx: Session, _due_at: datetime) -> None:
    """Offer to the next in the line what nobody has answered in time; who is next has a whole window, however late."""
    expired = actions.expire_offers(tx, now=clock.now())
    if expired:
        log.info("offers.expired", offers=expired)
