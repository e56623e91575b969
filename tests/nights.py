"""A service's timers during one night, done in the test's own thread."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import text
from structlog.testing import capture_logs
from structlog.typing import EventDict

from shared import clock
from shared.bus.testing.working import Working
from shared.database.sessions import Database
from shared.service import Service

EVENING = datetime(2023, 3, 1, 12, 0, tzinfo=UTC)  # In Shanghai it is eight.
MOST_TURNS = 10
_nights = count()


def one_night(database: Database, service: Service, *, evening: datetime | None = None) -> list[EventDict]:
    """Arm the timers in the evening, look in the next morning, and return what was logged.

    Unless an evening is named, each call is a night of its own, the first of them EVENING's: an instant is run once,
    whichever test asked for it.
    """
    evening = evening or EVENING + timedelta(days=next(_nights))
    with database.transaction() as tx:
        tx.execute(text("DELETE FROM schedule"))  # What an earlier night has armed is not due in this one.
    working = Working(database, service.tasks, service.timers, service=service.name)
    try:
        clock.travel(evening)
        working.turn()
        clock.travel(evening + timedelta(hours=12))
        with capture_logs() as logs:
            for _ in range(MOST_TURNS):
                if not working.turn():
                    return list(logs)
    finally:
        clock.come_back()
    raise AssertionError("the timers have no end")
