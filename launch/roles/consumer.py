"""Hearing what others tell, and looking after what failed."""

from collections.abc import Sequence

from launch.background import Means
from launch.workers import Crew
from shared.bus.consumer import Consumer
from shared.bus.dead_letters.replayer import Replayer
from shared.bus.inbox import Inbox
from shared.bus.tasks import wake_ups
from shared.bus.topology import dead_queue_of, unrouted_queue_of
from shared.bus.transport import Transport
from shared.bus.transport.rabbit import RabbitTransport
from shared.bus.upkeep import Aside, Upkeep, keep_given_up, keep_unrouted
from shared.database.sessions import Database
from shared.service import Service
from shared.web import kept_answers


def start(means: Means, crew: Crew) -> None:
    """Start the role over RabbitMQ."""
    service = means.service
    rejected = Aside(RabbitTransport(means.tasks_url), wake_ups.dead_queue_of(service.name), wake_ups.keep_rejected)
    asides = [rejected] if service.has_work else []
    start_hearing(service, means.database, crew, transport=means.transport, asides=asides)


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
