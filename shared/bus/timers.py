"""`every`: what happens again and again, at the hours of a calendar and a time zone.

    @bus.every("0 9 * * MON", tz="Asia/Shanghai", missed=Missed.ONCE, max_retries=5, time_limit_ms=20_000)
    def open_rounds(tx: Session, due_at: datetime) -> None: ...

Whoever claims an instant arms the next one and queues a run, in one transaction. So two schedulers never fire one
instant twice, and a run that fails is a dead letter, never the end of the schedule (PITFALLS O16).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from threading import Event as Flag
from zoneinfo import ZoneInfo

from cronsim import CronSim
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import clock, telemetry
from shared.bus.patience import pause
from shared.bus.tasks.job import Job
from shared.bus.tasks.queueing import Task, task_all
from shared.bus.tasks.work import Work, work
from shared.database.faults import may_pass
from shared.database.sessions import Database

TICK_SECONDS = 0.5
MOST_AT_ONCE = 100  # Missed instants of one timer that are made up for in one tick.
BACKOFF_SECONDS = 5.0
GONE_AFTER = timedelta(days=30)
_FIELDS = 5

log = telemetry.get_logger()

# Another zone or another hour is another schedule, which begins now; how missed instants are treated is not.
_ARM = text("""
    INSERT INTO schedule AS armed (name, cron, zone, missed, due_at) VALUES (:name, :cron, :zone, :missed, :due_at)
    ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, zone = excluded.zone, missed = excluded.missed,
        due_at = CASE WHEN (armed.cron, armed.zone) = (excluded.cron, excluded.zone)
            THEN armed.due_at ELSE excluded.due_at END
    WHERE (armed.cron, armed.zone, armed.missed) <> (excluded.cron, excluded.zone, excluded.missed)
""")
# Another release may know what this one does not: only what nobody has claimed for long is gone.
_DISARM = text("DELETE FROM schedule WHERE due_at < :before AND name <> ALL(CAST(:names AS text[]))")
_CLAIM = text("""
    SELECT name, due_at FROM schedule WHERE due_at <= :now AND name = ANY(CAST(:names AS text[]))
    ORDER BY due_at FOR UPDATE SKIP LOCKED
""")
_ARM_NEXT = text("UPDATE schedule SET due_at = :next, last_due_at = :last WHERE name = :name")


class Missed(StrEnum):
    """What becomes of instants at which nobody looked."""

    ONCE = "once"  # The latest of them is made up for.
    EACH = "each"  # Each of them is.


@dataclass(frozen=True)
class Timer:
    """A function and when it is due; `work` is the task that runs it."""

    work: Work
    cron: str
    zone: ZoneInfo
    missed: Missed

    @property
    def name(self) -> str:
        """The timer's name, which is its task's."""
        return self.work.task.name

    def instants(self, after: datetime) -> Iterator[datetime]:
        """Return when it is due after an instant, in UTC.

        What falls into the hour that a zone skips is due when that hour is over; in one that a zone repeats, only what
        is due every hour or oftener is due twice.
        """
        for instant in CronSim(self.cron, after.astimezone(self.zone)):
            if (found := instant.astimezone(UTC)) > after:  # In a repeated hour, cron's wall clock may look back.
                yield found

    def claimed(self, due_at: datetime, *, now: datetime) -> tuple[Sequence[datetime], datetime]:
        """Return the instants to run for one that is due, and the instant to arm next."""
        if self.missed is Missed.ONCE:
            latest = self._latest(due_at, now)
            return [latest], next(self.instants(latest))
        due = [due_at]
        for instant in islice(self.instants(due_at), MOST_AT_ONCE):
            if instant > now or len(due) == MOST_AT_ONCE:
                return due, instant
            due.append(instant)
        raise AssertionError("a calendar has no end")

    def _latest(self, due_at: datetime, now: datetime) -> datetime:
        """Find the last instant up to now, looking back ever further, so that long gaps cost little."""
        window = timedelta(hours=1)
        while now - window > due_at:
            if found := self._last(now - window, now):
                return found
            window *= 2
        return self._last(due_at, now) or due_at

    def _last(self, after: datetime, now: datetime) -> datetime | None:
        found = None
        for instant in self.instants(after):
            if instant > now:
                break
            found = instant
        return found


def every(
    cron: str, *, tz: str, missed: Missed, max_retries: int, time_limit_ms: int, service: str | None = None
) -> Callable[[Callable[[Session, datetime], None]], Timer]:
    """Call a function at each instant of `cron` (five fields) in the time zone, in a transaction of its own.

    It gets the instant at which it was due, which may be long ago. Its effect and the mark that it ran are one
    transaction: it happens once. Its name is `<service>.<function>`: renaming it begins a new schedule. The service is
    the function's own; a function of the kit is told for which it works.
    Raises CronSimError, ZoneInfoNotFoundError, ValueError.
    """
    if len(cron.split()) != _FIELDS:
        raise ValueError(f"{cron!r}: minute, hour, day, month and weekday")
    zone = ZoneInfo(tz)
    next(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)), None)

    def bind(run: Callable[[Session, datetime], None]) -> Timer:
        def fire(job: Job, due_at: datetime) -> None:
            with job.transaction() as tx:
                run(tx, due_at)
                job.finish(tx)

        task = Task(f"{service or run.__module__.split('.')[1]}.{run.__name__}")
        limits = work(task, max_retries=max_retries, time_limit_ms=time_limit_ms, backoff_seconds=BACKOFF_SECONDS)
        return Timer(limits(fire), cron, zone, missed)

    return bind


def fire(tx: Session, timer: Timer, instants: Sequence[datetime]) -> None:
    """Queue a run of a timer for each instant; one that has a run already gets no other."""
    keys = [f"{timer.name}@{instant.isoformat()}" for instant in instants]
    task_all(tx, timer.work.task, [[instant] for instant in instants], keys=keys)


class Scheduler:
    """Fires one service's timers; several at once share the work."""

    def __init__(self, database: Database, timers: Sequence[Timer]) -> None:
        """Fire `timers`, whose schedules are in `database`. Raises ValueError if two have one name."""
        self.database = database
        self.timers = {timer.name: timer for timer in timers}
        if len(self.timers) != len(timers):
            raise ValueError("two timers have the same name")

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        failures, is_installed = 0, False
        while not stop.is_set():
            try:
                if not is_installed:
                    self.install()
                    is_installed = True
                self.tick()
                failures = 0
            except SQLAlchemyError as error:
                if not may_pass(error):
                    raise
                failures += 1
                log.warning("scheduler.database_away", failures=failures, error=str(error))
            stop.wait(pause(failures) if failures else TICK_SECONDS)

    def install(self) -> None:
        """Arm new timers from now on, and those whose calendar has changed; forget what nobody has fired for long."""
        now = clock.now()
        with self.database.transaction() as tx:
            tx.execute(_DISARM, {"names": list(self.timers), "before": now - GONE_AFTER})
            for timer in self.timers.values():
                due_at = next(timer.instants(now))
                tx.execute(
                    _ARM,
                    {"name": timer.name, "cron": timer.cron, "zone": timer.zone.key, "missed": timer.missed.value,
                     "due_at": due_at},
                )  # fmt: skip

    def tick(self) -> int:
        """Queue what is due and arm what follows; return how many runs that were."""
        now = clock.now()
        with self.database.transaction() as tx:
            claims = tx.execute(_CLAIM, {"now": now, "names": list(self.timers)}).all()
            return sum(self._fire(tx, self.timers[claim.name], claim.due_at, now) for claim in claims)

    def _fire(self, tx: Session, timer: Timer, due_at: datetime, now: datetime) -> int:
        due, following = timer.claimed(due_at, now=now)
        tx.execute(_ARM_NEXT, {"name": timer.name, "next": following, "last": due[-1]})
        fire(tx, timer, due)
        log.info("timer.due", timer=timer.name, runs=len(due), next=following.isoformat())
        return len(due)
