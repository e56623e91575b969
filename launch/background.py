"""What does a service's tasks and fires its timers, over RabbitMQ or within this process."""

from urllib.parse import urlsplit

from launch.workers import Crew
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import Sweeper
from shared.bus.tasks.workers import WakeUpBroker, Workers
from shared.bus.timers import Scheduler
from shared.database.sessions import Database
from shared.service import Service

_BUS = "bus"
_BESIDE_WORKERS = 3  # Connections of the sweeper, the scheduler and the renewal of leases.


def pool_of(threads: int) -> int:
    """Return how many connections the workers of a service want: one for each thread, and some beside them."""
    return threads + _BESIDE_WORKERS


def start_tasks(
    service: Service, database: Database, crew: Crew, *, broker: WakeUpBroker, threads: int, alone: bool = False
) -> None:
    """Start a service's workers, its sweeper and its scheduler in `crew`; nothing if it has neither tasks nor timers.

    `alone` says that the broker is this process's own, so that what another has left can be taken back at once.
    """
    if not service.works:
        return
    sweeper = Sweeper(database, timers=[timer.name for timer in service.timers])
    if alone:
        sweeper.begin_anew()
    workers = Workers(broker, Runner(database, service.works), service=service.name, threads=threads)
    crew.start(f"{service.name}.worker", workers.run)
    crew.start(f"{service.name}.sweeper", sweeper.run)
    crew.start(f"{service.name}.scheduler", Scheduler(database, service.timers).run)


def tasks_url(amqp_url: str, service: str) -> str:
    """Return the URL of a service's tasks: on the same nodes, the vhost beside that of the events."""
    return ",".join(_beside(url.strip(), service) for url in amqp_url.split(","))


def _beside(url: str, service: str) -> str:
    parts = urlsplit(url)
    vhost = parts.path.removeprefix("/")
    return parts._replace(path=f"/tasks-{service}" if vhost == _BUS else f"/{vhost}-tasks-{service}").geturl()
