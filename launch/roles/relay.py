"""Telling what a service emits, and waking its workers."""

from launch.background import Means
from launch.workers import Crew
from shared.bus.outbox import Lane
from shared.bus.relay import Publisher, Relay, Route
from shared.bus.tasks.sweeping import SENT
from shared.bus.tasks.wake_ups import wake_up_letter
from shared.bus.topology import Topology
from shared.bus.transport import Transport
from shared.bus.transport.rabbit import RabbitTasks
from shared.database.sessions import Database
from shared.service import Service

_WAKE_UPS = Route(Lane.TASK, wake_up_letter, SENT)


def start(means: Means, crew: Crew) -> None:
    """Start the role over RabbitMQ."""
    workers = RabbitTasks(means.tasks_url)
    start_relays(means.service, means.database, crew, transport=means.transport, workers=workers)


def start_relays(service: Service, database: Database, crew: Crew, *, transport: Transport, workers: Publisher) -> None:
    """Tell what the service emits, and wake its workers: a relay for each lane, so that neither waits for the other."""
    facts = Relay(database, transport, service=service.name, heard=Topology.load().heard)
    crew.start(f"{service.name}.relay", facts.run)
    if service.has_work:
        wake_ups = Relay(database, workers, service=service.name, route=_WAKE_UPS)
        crew.start(f"{service.name}.task-relay", wake_ups.run)
