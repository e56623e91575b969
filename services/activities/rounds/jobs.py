"""What time does to rounds."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.activities.rounds import actions
from shared import bus


@bus.every("17 * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=60_000)
def make_rounds_ahead(tx: Session, due_at: datetime) -> None:
    """Make the rounds of this week and those ahead that are missing, however late this runs."""
    actions.make_ahead(tx, now=due_at)


@bus.every("* * * * *", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=20_000)
def turn_rounds(tx: Session, due_at: datetime) -> None:
    """Open, close and publish the rounds whose time had come; the doors go by the times and wait for none of this."""
    actions.turn(tx, now=due_at)
