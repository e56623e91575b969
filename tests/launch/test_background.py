"""What a process starts for a service's tasks and timers."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from launch.background import tasks_url
from launch.roles.worker import pool_of, start_tasks
from launch.workers import Crew
from shared import bus
from shared.bus.tasks import runs
from shared.bus.tasks.workers import LocalBroker, LocalTasks
from shared.database.server import Server
from shared.database.sessions import Database
from shared.service import Service
from tests.shared.bus.running import Owner
from tests.shared.bus.tasks.pumping import Pump
from tests.waiting import until

SEND = bus.Task("background.send_letter")
THREADS = 2


@bus.work(SEND, max_retries=1, time_limit_ms=5_000, backoff_seconds=1)
def send_letter(job: bus.Job, letter_id: UUID) -> None:
    """Write it down."""
    with job.transaction() as tx:
        tx.execute(text("INSERT INTO done VALUES (:id)"), {"id": str(letter_id)})


@bus.every("* * * * *", tz="UTC", missed=bus.Missed.ONCE, max_retries=0, time_limit_ms=5_000)
def tidy_up(tx: Session, due_at: datetime) -> None:
    """Write it down."""
    tx.execute(text("INSERT INTO done VALUES (:at)"), {"at": due_at.isoformat()})


@pytest.fixture
def owner(server: Server) -> Iterator[Owner]:
    own = Server(server.url, prefix="background_")
    own.prepare("activities")
    found = Owner(own, "activities")
    found.execute("CREATE TABLE done (what text)")
    yield found
    own.drop("activities")


@pytest.fixture
def database(owner: Owner) -> Iterator[Database]:
    with contextlib.closing(owner.server.open("activities", pool_size=pool_of(THREADS))) as found:
        yield found


def test_tasks_are_done_and_timers_fire(database: Database, owner: Owner) -> None:
    """By threads that end with the process; what another left in its broker is done too."""
    service = Service("background", routers=(), tasks=[send_letter], timers=[tidy_up])
    letter, left, crew, broker = uuid4(), uuid4(), Crew(), LocalBroker()
    with database.transaction() as tx:
        lost = bus.task(tx, SEND, left)
    owner.execute("DELETE FROM outbox")
    with database.transaction() as tx:
        assert runs.take(tx, lost, known=[SEND.name], seconds=3_600) is not None

    start_tasks(service, database, crew, broker=broker, threads=THREADS, alone=True)
    crew.start("relay", Pump(database, LocalTasks(broker), service="background").run)
    try:
        with database.transaction() as tx:
            bus.task(tx, SEND, letter)
        until(lambda: owner.count("schedule") == 1, timeout=20, missing="a schedule")
        owner.execute("UPDATE schedule SET due_at = due_at - interval '1 min'")
        until(lambda: {str(letter), str(left)} < done(owner), timeout=20, missing="two letters and a tidying")
    finally:
        crew.finish()

    assert crew.failed is None


def done(owner: Owner) -> set[str]:
    return {str(what) for (what,) in owner.execute("SELECT what FROM done")}


def test_a_service_without_work_starts_nothing(database: Database) -> None:
    """No threads, no connections."""
    crew = Crew()
    start_tasks(Service("background", routers=()), database, crew, broker=LocalBroker(), threads=THREADS)
    crew.finish()

    assert database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]  # A queue pool counts.


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://a:b@h:1/bus", "amqp://a:b@h:1/tasks-notify"),
        ("amqp://a:b@h:1/test-1?heartbeat=3", "amqp://a:b@h:1/test-1-tasks-notify?heartbeat=3"),
        ("amqp://a:b@h:1/bus, amqps://a:b@i:2/bus", "amqp://a:b@h:1/tasks-notify,amqps://a:b@i:2/tasks-notify"),
    ],
)
def test_the_vhost_of_tasks_is_beside_that_of_events(url: str, expected: str) -> None:
    """On each node of the cluster, and with what else the URL says."""
    assert tasks_url(url, "notify") == expected
