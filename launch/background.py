"""What a service does behind its doors, in threads: tell, hear, look after what failed, work. Over either transport."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from launch.workers import Crew
from shared.bus.consumer import Consumer
from shared.bus.dead_letters.replayer import Replayer
from shared.bus.inbox import Inbox
from shared.bus.outbox import Lane
from shared.bus.relay import Publisher, Relay, Route
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import SENT, Sweeper
from shared.bus.tasks.wake_ups import wake_up_letter
from shared.bus.tasks.workers import WakeUpBroker, Workers
from shared.bus.timers import Scheduler
from shared.bus.topology import dead_queue_of, tasks_vhost_of, unrouted_queue_of
from shared.bus.transport import Transport
from shared.bus.upkeep import Aside, Upkeep, keep_given_up, keep_unrouted
from shared.database.sessions import Database
from shared.service import Service
from shared.web import kept_answers

POOL = 7  # Two relays, a consumer's two batches, the upkeep, a replayer, and one to spare.
_BESIDE_WORKERS = 3  # Connections of the sweeper, the scheduler and the renewal of leases.
_WAKE_UPS = Route(Lane.TASK, wake_up_letter, SENT)


def pool_of(threads: int) -> int:
    """Return how many connections the workers of a service want: two for each thread, and some beside them.

    A function may tell how far it has come, in a transaction of its own, while its own one is open.
    """
    return 2 * threads + _BESIDE_WORKERS


def start_relays(service: Service, database: Database, crew: Crew, *, transport: Transport, workers: Publisher) -> None:
    """Tell what the service emits, and wake its workers: a relay for each lane, so that neither waits for the other."""
    crew.start(f"{service.name}.relay", Relay(database, transport, service=service.name).run)
    if service.works:
        wake_ups = Relay(database, workers, service=service.name, route=_WAKE_UPS)
        crew.start(f"{service.name}.task-relay", wake_ups.run)


def start_hearing(
    service: Service, database: Database, crew: Crew, *, transport: Transport, asides: Sequence[Aside] = ()
) -> None:
    """Handle what others tell, bring in what the broker has set aside, and carry out replays."""
    inbox = Inbox(database, service.subscriptions)
    if service.handlers:
        crew.start(f"{service.name}.consumer", Consumer(transport, inbox).run)
    set_aside = [
        Aside(transport, dead_queue_of(service.name), keep_given_up),
        Aside(transport, unrouted_queue_of(service.name), keep_unrouted),
        *asides,
    ]
    upkeep = Upkeep(Inbox(database, service.subscriptions), set_aside, trims=[kept_answers.forget])
    crew.start(f"{service.name}.upkeep", upkeep.run)
    crew.start(f"{service.name}.replayer", Replayer(database, Inbox(database, service.subscriptions)).run)


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
    return parts._replace(path=f"/{tasks_vhost_of(parts.path.removeprefix('/'), service)}").geturl()
