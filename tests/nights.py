"""A service's timers during one night, done in the test's own thread."""

from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs
from structlog.typing import EventDict

from shared import clock
from shared.bus.testing.working import Working
from shared.database.sessions import Database
from shared.service import Service

EVENING = datetime(2023, 3, 1, 12, 0, tzinfo=UTC)  # In Shanghai it is eight.
MOST_TURNS = 10


def one_night(database: Database, service: Service) -> list[EventDict]:
    """Arm the timers in the evening, look in the next morning, and return what was logged."""
    working = Working(database, service.tasks, service.timers, service=service.name)
    try:
        clock.travel(EVENING)
        working.turn()
        clock.travel(EVENING + timedelta(hours=12))
        with capture_logs() as logs:
            for _ in range(MOST_TURNS):
                if not working.turn():
                    return list(logs)
    finally:
        clock.come_back()
    raise AssertionError("the timers have no end")
