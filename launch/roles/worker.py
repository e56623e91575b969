"""Doing a service's tasks, and what its timers fire."""

from launch.background import Means
from launch.workers import Crew
from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import Sweeper
from shared.bus.tasks.workers import WakeUpBroker, Workers
from shared.bus.timers import Scheduler
from shared.database.sessions import Database
from shared.service import Service

_BESIDE_WORKERS = 3  # Connections of the sweeper, the scheduler and the renewal of leases.


def start(means: Means, crew: Crew) -> None:
    """Start the role over RabbitMQ; nothing for a service that has neither tasks nor timers."""
    service, threads = means.service, means.settings.worker_threads
    if service.has_work:
        own = means.server.open(service.name, pool_size=pool_of(threads))
        start_tasks(service, own, crew, broker=QuorumBroker(means.tasks_url), threads=threads)


def pool_of(threads: int) -> int:
    """Return how many connections the workers of a service want: two for each thread, and some beside them.

    A function may tell how far it has come, in a transaction of its own, while its own one is open.
    """
    return 2 * threads + _BESIDE_WORKERS


def start_tasks(
    service: Service, database: Database, crew: Crew, *, broker: WakeUpBroker, threads: int, alone: bool = False
) -> None:
    """Start a service's workers, its sweeper and its scheduler in `crew`; nothing if it has neither tasks nor timers.

    `alone` says that the broker is this process's own, so that what another has left can be taken back at once.
    """
    if not service.has_work:
        return
    sweeper = Sweeper(database, timers=[timer.name for timer in service.timers])
    if alone:
        sweeper.begin_anew()
    workers = Workers(broker, Runner(database, service.works), service=service.name, threads=threads)
    crew.start(f"{service.name}.worker", workers.run)
    crew.start(f"{service.name}.sweeper", sweeper.run)
    crew.start(f"{service.name}.scheduler", Scheduler(database, service.timers).run)
