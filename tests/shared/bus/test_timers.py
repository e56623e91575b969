"""`every`: each instant once, whatever clocks, schedulers and runs do."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfoNotFoundError

import pytest
from cronsim import CronSimError
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from shared import bus, clock
from shared.bus import Missed, Timer
from shared.bus.tasks.running import Runner
from shared.bus.timers import MOST_AT_ONCE, Scheduler, fire
from shared.database.server import Server
from shared.database.sessions import Database
from tests.shared.bus.running import Owner, running
from tests.waiting import until

MONDAY = datetime(2031, 3, 3, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai.
WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)
TICK = "CREATE TABLE IF NOT EXISTS tick (place bigint GENERATED ALWAYS AS IDENTITY, due_at timestamptz NOT NULL)"
_WRITE = text("INSERT INTO tick (due_at) VALUES (:due_at)")


def _has_runs(owner: Owner, count: int) -> bool:
    return owner.count("task_run") == count


def open_rounds(tx: Session, due_at: datetime) -> None:
    """Write down when this was due."""
    tx.execute(_WRITE, {"due_at": due_at})


def timer(
    cron: str = "0 9 * * MON",
    *,
    tz: str = "Asia/Shanghai",
    missed: Missed = Missed.ONCE,
    run: Callable[[Session, datetime], None] = open_rounds,
    max_retries: int = 1,
) -> Timer:
    return bus.every(cron, tz=tz, missed=missed, max_retries=max_retries, time_limit_ms=5_000)(run)


@pytest.fixture
def owner(told: Owner) -> Owner:
    told.execute(TICK)
    told.execute("TRUNCATE tick")
    return told


@pytest.fixture(autouse=True)
def _present() -> Iterator[None]:
    yield
    clock.come_back()


def scheduler(database: Database, *timers: Timer, at: datetime) -> Scheduler:
    """Install timers at an instant."""
    clock.travel(at)
    found = Scheduler(database, timers)
    found.install()
    return found


def tick_at(found: Scheduler, instant: datetime) -> int:
    clock.travel(instant)
    return found.tick()


def work_off(database: Database, owner: Owner, *timers: Timer) -> None:
    """Do every run that is queued."""
    runner = Runner(database, [each.work for each in timers])
    for (run_id,) in owner.execute("SELECT id FROM task_run WHERE state = 'queued' ORDER BY id"):
        runner.run(run_id)  # type: ignore[arg-type]  # It is a UUID.


def ticks(owner: Owner) -> list[object]:
    return [row[0] for row in owner.execute("SELECT due_at FROM tick ORDER BY place")]


def armed(owner: Owner) -> list[tuple[object, ...]]:
    return owner.execute("SELECT due_at, last_due_at FROM schedule ORDER BY name")


def first(found: Timer, after: datetime, count: int) -> list[datetime]:
    return list(islice(found.instants(after), count))


def test_it_is_due_at_the_hours_of_its_zone() -> None:
    """Monday at nine in Shanghai, which is one o'clock in UTC, all year."""
    assert first(timer(), MONDAY - timedelta(microseconds=1), 2) == [MONDAY, MONDAY + WEEK]
    assert first(timer(), MONDAY, 1) == [MONDAY + WEEK]


def test_an_hour_that_is_skipped_is_made_up_for() -> None:
    """In Berlin 02:30 does not exist on 30 March 2031: it is due when the hour is over, at 03:00, and once."""
    nightly = timer("30 2 * * *", tz="Europe/Berlin")

    assert first(nightly, datetime(2031, 3, 29, 0, 0, tzinfo=UTC), 3) == [
        datetime(2031, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2031, 3, 30, 1, 0, tzinfo=UTC),
        datetime(2031, 3, 31, 0, 30, tzinfo=UTC),
    ]


def test_an_hour_that_is_repeated_is_one_for_what_has_an_hour() -> None:
    """On 26 October 2031 02:30 comes twice: the first is it, also for who asks in between or in the second hour."""
    nightly = timer("30 2 * * *", tz="Europe/Berlin")
    first_half_past, second_half_past = (datetime(2031, 10, 26, hour, 30, tzinfo=UTC) for hour in (0, 1))
    following = datetime(2031, 10, 27, 1, 30, tzinfo=UTC)

    assert first(nightly, first_half_past - HOUR, 2) == [first_half_past, following]
    for after in (first_half_past, second_half_past - timedelta(minutes=20), second_half_past):
        assert first(nightly, after, 1) == [following]


def test_what_is_due_each_quarter_is_due_in_both_hours() -> None:
    """Ninety-six, ninety-two and a hundred times a day."""
    quarterly = timer("*/15 * * * *", tz="Europe/Berlin")
    for begin, hours in ((datetime(2031, 3, 29, 23, tzinfo=UTC), 23), (datetime(2031, 10, 25, 22, tzinfo=UTC), 25)):
        found = first(quarterly, begin - timedelta(seconds=1), hours * 4 + 1)
        assert found == [begin + timedelta(minutes=15) * step for step in range(hours * 4 + 1)]


@pytest.mark.parametrize(
    ("cron", "tz", "error"),
    [
        ("0 9 * *", "UTC", ValueError),
        ("0 0 9 * * MON", "UTC", ValueError),
        ("0 25 * * *", "UTC", CronSimError),
        ("0 9 * * YES", "UTC", CronSimError),
        ("0 9 * * *", "Europe/Atlantis", ZoneInfoNotFoundError),
    ],
)
def test_what_is_no_calendar_fails_at_import(cron: str, tz: str, error: type[Exception]) -> None:
    """Not on the Monday on which nothing happens."""
    with pytest.raises(error):
        timer(cron, tz=tz)


def test_it_runs_at_its_instant_and_not_before(telling: Database, owner: Owner) -> None:
    """With the instant at which it was due, however late it runs; the next one is armed then."""
    rounds = timer()
    found = scheduler(telling, rounds, at=MONDAY - HOUR)
    assert armed(owner) == [(MONDAY, None)]

    assert tick_at(found, MONDAY - timedelta(milliseconds=1)) == 0
    assert tick_at(found, MONDAY) == 1
    assert tick_at(found, MONDAY + HOUR) == 0
    work_off(telling, owner, rounds)

    assert ticks(owner) == [MONDAY]
    assert armed(owner) == [(MONDAY + WEEK, MONDAY)]
    assert owner.execute("SELECT task, key, state FROM task_run") == [
        ("shared.open_rounds", f"shared.open_rounds@{MONDAY.isoformat()}", "done")
    ]


def test_it_runs_beside_its_schedule_for_who_travels_in_time(telling: Database, owner: Owner) -> None:
    """Once for an instant, and the schedule stays as it was armed."""
    rounds = timer()
    found = scheduler(telling, rounds, at=MONDAY - HOUR)
    for _ in range(2):
        with telling.transaction() as tx:
            fire(tx, rounds, [MONDAY - WEEK])
    work_off(telling, owner, rounds)

    assert ticks(owner) == [MONDAY - WEEK]
    assert armed(owner) == [(MONDAY, None)]
    assert tick_at(found, MONDAY) == 1


def test_a_run_that_fails_ends_no_schedule(telling: Database, owner: Owner) -> None:
    """It is a dead letter; the next instant was armed when this one was claimed (PITFALLS O16)."""

    def open_rounds(tx: Session, due_at: datetime) -> None:
        """Write, and fail."""
        tx.execute(_WRITE, {"due_at": due_at})
        raise LookupError(due_at)

    broken, sound = timer(run=open_rounds, max_retries=0), timer()
    found = scheduler(telling, broken, at=MONDAY - HOUR)
    assert tick_at(found, MONDAY) == 1
    with capture_logs():
        work_off(telling, owner, broken)
    assert owner.execute("SELECT reason, handler FROM dead_letter") == [("failed", "shared.open_rounds")]
    assert ticks(owner) == []

    assert tick_at(found, MONDAY + WEEK) == 1
    work_off(telling, owner, sound)
    assert ticks(owner) == [MONDAY + WEEK]


def test_its_effect_and_its_mark_are_one(telling: Database, owner: Owner) -> None:
    """Taken for dead in the middle and run by another, it happens once."""
    rounds = timer()

    def open_rounds(tx: Session, due_at: datetime) -> None:
        """Let another do it first."""
        ((run_id,),) = owner.execute("UPDATE task_run SET lease_until = now() - interval '1 s' RETURNING id")
        Runner(telling, [rounds.work]).run(run_id)  # type: ignore[arg-type]  # It is a UUID.
        tx.execute(_WRITE, {"due_at": due_at})

    slow = timer(run=open_rounds)
    found = scheduler(telling, slow, at=MONDAY - HOUR)
    tick_at(found, MONDAY)
    with capture_logs():
        work_off(telling, owner, slow)

    assert ticks(owner) == [MONDAY]
    assert owner.execute("SELECT state, attempts FROM task_run") == [("done", 2)]


def test_after_a_stop_the_latest_is_made_up_for(telling: Database, owner: Owner) -> None:
    """Once, for the last of what was missed, and then it goes on as ever."""
    rounds = timer()
    found = scheduler(telling, rounds, at=MONDAY - HOUR)

    assert tick_at(found, MONDAY + 3 * WEEK + HOUR) == 1
    assert tick_at(found, MONDAY + 3 * WEEK + HOUR) == 0
    work_off(telling, owner, rounds)

    assert ticks(owner) == [MONDAY + 3 * WEEK]
    assert armed(owner) == [(MONDAY + 4 * WEEK, MONDAY + 3 * WEEK)]


def test_after_a_stop_each_is_made_up_for(telling: Database, owner: Owner) -> None:
    """If it says so; in order."""
    rounds = timer(missed=Missed.EACH)
    found = scheduler(telling, rounds, at=MONDAY - HOUR)

    assert tick_at(found, MONDAY + 3 * WEEK + HOUR) == 4
    assert tick_at(found, MONDAY + 3 * WEEK + HOUR) == 0
    work_off(telling, owner, rounds)

    assert ticks(owner) == [MONDAY + step * WEEK for step in range(4)]
    assert armed(owner) == [(MONDAY + 4 * WEEK, MONDAY + 3 * WEEK)]


def test_many_that_were_missed_are_made_up_for_in_parts(telling: Database, owner: Owner) -> None:
    """A month of minutes is not one transaction, and loses none."""
    minutely = timer("* * * * *", missed=Missed.EACH)
    found = scheduler(telling, minutely, at=MONDAY - timedelta(seconds=30))
    counts = [tick_at(found, MONDAY + timedelta(minutes=249)) for _ in range(4)]

    assert counts == [MOST_AT_ONCE, MOST_AT_ONCE, 50, 0]
    keys = {str(row[0]) for row in owner.execute("SELECT key FROM task_run")}
    assert keys == {f"{minutely.name}@{(MONDAY + timedelta(minutes=step)).isoformat()}" for step in range(250)}


def test_years_that_were_missed_cost_little(telling: Database, owner: Owner) -> None:
    """The latest of half a million is found without counting them."""
    minutely = timer("* * * * *")
    found = scheduler(telling, minutely, at=MONDAY - timedelta(seconds=30))
    late = MONDAY + timedelta(days=400, seconds=30)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(tick_at, found, late).result(timeout=5) == 1

    assert armed(owner) == [(late + timedelta(seconds=30), late - timedelta(seconds=30))]


def test_a_clock_that_jumps_neither_loses_nor_repeats(telling: Database, owner: Owner) -> None:
    """F22: an hour ahead, two back, and on again: each instant is run once."""
    quarterly = timer("*/15 * * * *", missed=Missed.EACH)
    found = scheduler(telling, quarterly, at=MONDAY)

    for minutes in (0, 15, 75, -45, 0, 15, 30, 75, 90, 30, 105):
        tick_at(found, MONDAY + timedelta(minutes=minutes))
    work_off(telling, owner, quarterly)

    assert ticks(owner) == [MONDAY + timedelta(minutes=minutes) for minutes in range(15, 106, 15)]


@pytest.mark.parametrize("begin", [datetime(2031, 3, 29, 20, tzinfo=UTC), datetime(2031, 10, 25, 20, tzinfo=UTC)])
def test_a_day_of_summer_time_has_each_instant_once(telling: Database, owner: Owner, begin: datetime) -> None:
    """F22: looked at every ten minutes, over the night in which the clocks change."""
    nightly = timer("30 2 * * *", tz="Europe/Berlin")
    found = scheduler(telling, nightly, at=begin)

    for step in range(6 * 24):
        tick_at(found, begin + timedelta(minutes=10) * step)
    work_off(telling, owner, nightly)

    assert ticks(owner) == first(nightly, begin, 1)


def test_two_schedulers_fire_nothing_twice(services: Server, telling: Database, owner: Owner) -> None:
    """F22: each with connections of its own, on one schedule, all at once."""
    quarterly, minutely = timer("*/15 * * * *", missed=Missed.EACH), timer_named("tidy_up", "* * * * *")
    with closing(services.open("activities", pool_size=4)) as other, ThreadPoolExecutor(8) as pool:
        both = [scheduler(database, quarterly, minutely, at=MONDAY) for database in (telling, other)]
        clock.travel(MONDAY + timedelta(hours=50))
        fired = sum(pool.map(lambda place: sum(iter(both[place % 2].tick, 0)), range(8)))

    assert fired == owner.count("task_run") == owner.count("outbox") == 200 + 50 * 60


def test_two_schedulers_share_a_clock_that_runs(telling: Database, owner: Owner) -> None:
    """F22: as they run in service; what is due while both look is run once."""
    minutely = timer("* * * * *", missed=Missed.EACH)
    both = [scheduler(telling, minutely, at=MONDAY + timedelta(seconds=30)) for _ in range(2)]

    with running(*(each.run for each in both)):
        for minutes in (1, 2, 3):
            clock.travel(MONDAY + timedelta(minutes=minutes))
            until(partial(_has_runs, owner, minutes), timeout=20, missing="one more run")

    work_off(telling, owner, minutely)
    assert ticks(owner) == [MONDAY + timedelta(minutes=minutes) for minutes in (1, 2, 3)]


def test_a_scheduler_that_comes_back_knows_what_it_missed(telling: Database, owner: Owner) -> None:
    """What is in the database is not armed anew at the next boot."""
    scheduler(telling, timer(), at=MONDAY - HOUR)
    found = scheduler(telling, timer(), at=MONDAY + HOUR)

    assert found.tick() == 1
    assert armed(owner) == [(MONDAY + WEEK, MONDAY)]


def test_another_calendar_is_another_schedule(telling: Database, owner: Owner) -> None:
    """Armed from now on; other manners towards what was missed alone change no instant."""
    scheduler(telling, timer(), at=MONDAY - HOUR)
    scheduler(telling, timer(missed=Missed.EACH), at=MONDAY + HOUR)
    assert armed(owner) == [(MONDAY, None)]
    assert owner.execute("SELECT missed FROM schedule") == [("each",)]

    scheduler(telling, timer("0 10 * * MON"), at=MONDAY + 2 * HOUR)
    assert armed(owner) == [(MONDAY + WEEK + HOUR, None)]
    scheduler(telling, timer("0 10 * * MON", tz="UTC"), at=MONDAY + 2 * HOUR)
    assert armed(owner) == [(MONDAY + 9 * HOUR, None)]


def test_an_older_release_leaves_a_new_timer_alone(telling: Database, owner: Owner) -> None:
    """In a rolling deploy it may be the last to boot: it neither fires the timer nor silences it."""
    found = scheduler(telling, timer(), at=MONDAY - HOUR)
    older = scheduler(telling, timer_named("tidy_up", "0 0 1 1 *"), at=MONDAY + HOUR)

    assert older.tick() == 0
    assert found.tick() == 1
    assert armed(owner)[0] == (MONDAY + WEEK, MONDAY)


@pytest.mark.parametrize(("days", "left"), [(29, 2), (31, 1)])
def test_what_is_declared_no_more_is_forgotten(telling: Database, owner: Owner, days: int, left: int) -> None:
    """When nobody has fired it for a month; and what is new begins now, however old the platform is."""
    scheduler(telling, timer(), at=MONDAY - HOUR)
    later = MONDAY + timedelta(days=days)
    scheduler(telling, timer_named("tidy_up", "* * * * *"), at=later)

    found = owner.execute("SELECT name, due_at FROM schedule ORDER BY due_at DESC")
    assert found[0] == ("shared.tidy_up", later + timedelta(minutes=1))
    assert len(found) == left


def test_two_timers_of_one_name_fail_at_boot(telling: Database) -> None:
    """They would be one schedule."""
    with pytest.raises(ValueError, match="same name"):
        Scheduler(telling, [timer(), timer()])


def test_a_database_that_is_away_is_waited_for(telling: Database, owner: Owner) -> None:
    """Also at boot."""
    minutely = timer("* * * * *")
    clock.travel(MONDAY - timedelta(seconds=30))
    found = Scheduler(telling, [minutely])
    with capture_logs() as lines, running(found.run):
        with owner.away():
            until(lambda: "scheduler.database_away" in str(lines), timeout=20, missing="a wait")
        until(lambda: owner.count("schedule") == 1, timeout=20, missing="a schedule")
        clock.travel(MONDAY)
        until(lambda: owner.count("task_run") == 1, timeout=20, missing="a run")


def test_a_statement_that_takes_too_long_ends_nothing(telling: Database, owner: Owner) -> None:
    """A table that somebody holds for a minute must not end the process, again and again."""
    clock.travel(MONDAY - timedelta(seconds=30))
    found = Scheduler(telling, [timer("* * * * *")])
    with capture_logs() as lines, running(found.run):
        with owner.locked("schedule"):
            until(owner.cancel_waiting, timeout=20, missing="a statement that waits")
        until(lambda: "scheduler.database_away" in str(lines), timeout=20, missing="a wait")
        until(lambda: owner.count("schedule") == 1, timeout=20, missing="a schedule")


def timer_named(name: str, cron: str) -> Timer:
    """Make another timer, which each missed instant of is run."""

    def run(tx: Session, due_at: datetime) -> None:
        open_rounds(tx, due_at)

    run.__name__ = name
    return timer(cron, missed=Missed.EACH, run=run)
