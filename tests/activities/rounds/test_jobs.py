"""The timers of rounds, run by the bus as a worker runs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from services.activities.main import SERVICE
from services.activities.rounds import queries
from shared import clock
from shared.bus.testing.working import Working
from shared.database.sessions import Database
from shared.events.activities_rounds import RoundClosed, RoundOpened
from tests.activities import told as outbox
from tests.factories.activities import make_round_calendar

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MONDAY = date(2013, 3, 4)  # Ten years before other nights: an instant is run once, whichever test asked for it.
OPENS = datetime(2013, 3, 4, 1, tzinfo=UTC)  # In Shanghai it is Monday at nine.
YEAR = 52 * WEEK
MOST_TURNS = 30
_DISARM = text("DELETE FROM schedule")


@contextmanager
def working_from(database: Database, start: datetime) -> Iterator[Working]:
    """Work by a clock that the test moves, and leave no timer armed; each test has a time of its own."""

    def disarm() -> None:
        with database.transaction() as tx:
            tx.execute(_DISARM)

    disarm()
    clock.travel(start)
    try:
        working = Working(database, SERVICE.tasks, SERVICE.timers, service=SERVICE.name)
        working.turn()
        yield working
    finally:
        clock.come_back()
        disarm()


def work_at(working: Working, at: datetime) -> None:
    """Do all that is due by an instant."""
    clock.travel(at)
    for _ in range(MOST_TURNS):
        if not working.turn():
            return
    raise AssertionError("the timers have no end")


def states(database: Database, programme: UUID) -> list[tuple[date | None, str]]:
    with database.transaction() as tx:
        rounds = tx.scalars(queries.rounds_of(programme)).all()
        return sorted((each.week_on or MONDAY, each.state) for each in rounds)


def test_rounds_are_made_opened_and_closed_by_the_clock(database: Database, programme: UUID) -> None:
    """Within an hour they are made, within a minute they open; a later look changes nothing."""
    start = OPENS - 4 * DAY
    with database.transaction() as tx:
        make_round_calendar(tx, programme_id=programme, weeks_ahead=1, since=start)

    with working_from(database, start) as working:
        work_at(working, start + HOUR)
        assert states(database, programme) == [(MONDAY, "planned")]
        work_at(working, OPENS)
        assert states(database, programme)[0] == (MONDAY, "open")
        for _ in range(2):
            work_at(working, OPENS + 3 * DAY + 9 * HOUR)

    assert states(database, programme) == [(MONDAY, "closed"), (MONDAY + WEEK, "planned")]
    with database.transaction() as tx:
        told = outbox.told(tx, programme)
    assert [type(fact) for fact in told] == [RoundOpened, RoundClosed]


def test_after_an_outage_the_right_weeks_are_there(database: Database, programme: UUID) -> None:
    """What was made before it is made up for; of what was not, only the call that still runs is opened."""
    opens, monday = OPENS + YEAR, MONDAY + YEAR
    start = opens - 4 * DAY
    with database.transaction() as tx:
        make_round_calendar(tx, programme_id=programme, weeks_ahead=1, since=start)

    with working_from(database, start) as working:
        work_at(working, start + HOUR)
        work_at(working, opens + 3 * WEEK + DAY)
        work_at(working, opens + 3 * WEEK + DAY + timedelta(minutes=1))

    assert states(database, programme) == [
        (monday, "published"), (monday + 3 * WEEK, "open"), (monday + 4 * WEEK, "planned"),
    ]  # fmt: skip
