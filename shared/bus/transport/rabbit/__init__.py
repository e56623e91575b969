"""RabbitMQ as a transport: the only package that imports pika.

One connection publishes, one asks, and each subscription has its own; each is owned by an I/O thread. Nothing is
declared here: `./popcandy broker define` loads the topology, `check` says what is missing.
"""

from collections.abc import Collection, Sequence
from uuid import UUID
from weakref import WeakSet

from shared.bus.transport import Letter, Outcome, QueueStats
from shared.bus.transport.rabbit.connection import Hosts
from shared.bus.transport.rabbit.consumer import RabbitSubscription
from shared.bus.transport.rabbit.inspector import Inspector
from shared.bus.transport.rabbit.publisher import Publisher
from shared.bus.transport.rabbit.tasks import RabbitTasks
from shared.bus.transport.rabbit.window import Route

__all__ = ["EXCHANGE", "RabbitTasks", "RabbitTransport"]

EXCHANGE = "events"
# Its alternate exchange takes what nobody is bound to, which switches `mandatory` off (PITFALLS R4).
_ROUTE = Route(EXCHANGE, content_type="application/json", mandatory=False)


class RabbitTransport:
    """A broker, or a cluster of them: `url` is one AMQP URL with its vhost, or several with commas between."""

    def __init__(self, url: str) -> None:
        self._hosts = Hosts(url)
        self._publisher = Publisher(self._hosts, _ROUTE)
        self._inspector = Inspector(self._hosts)
        self._subscriptions: WeakSet[RabbitSubscription] = WeakSet()

    @property
    def blocked(self) -> str | None:
        """Say why the broker takes no letters now, in its words; None when it does, or was not asked yet."""
        return self._publisher.blocked

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters in order, at most 2,000 or 16 MiB unconfirmed at a time; see `Transport.publish`."""
        return self._publisher.publish(letters)

    def subscribe(self, queue: str, *, batch: int) -> RabbitSubscription:
        """Consume a queue; the connection is made by the first `fetch`."""
        subscription = RabbitSubscription(self._hosts, queue, batch=batch)
        self._subscriptions.add(subscription)
        return subscription

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless the exchange and each of `queues` exist. Raises TransportDown."""
        self._inspector.require_exchange(EXCHANGE)
        for queue in queues:
            self._inspector.count(queue)

    def stats(self, queue: str) -> QueueStats:
        """Count a queue; what is handed out is not known here. Raises TransportDown, TopologyMissing."""
        return self._inspector.count(queue)

    def close(self) -> None:
        """Let go of all connections and threads."""
        self._hosts.close()
        for subscription in list(self._subscriptions):
            subscription.close()
        self._publisher.close()
        self._inspector.close()
