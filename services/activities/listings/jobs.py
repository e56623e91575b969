"""What is found is kept up with what is published and what partners are called."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.listings import actions
from shared import bus, telemetry

log = telemetry.get_logger()


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def read_listings(tx: Session, _due_at: datetime) -> None:
    """Let listings be found by how they are read: a batch, and what is left over next time."""
    listings = actions.read_listings(tx)
    if listings:
        log.info("listings.read", listings=listings)
