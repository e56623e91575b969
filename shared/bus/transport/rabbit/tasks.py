"""Publishing to queues by name: the way of dramatiq's messages, in a vhost of each service's own."""

from collections.abc import Sequence
from uuid import UUID

from shared.bus.transport import Letter, Outcome, QueueStats
from shared.bus.transport.rabbit.connection import Hosts
from shared.bus.transport.rabbit.inspector import Inspector
from shared.bus.transport.rabbit.publisher import Publisher
from shared.bus.transport.rabbit.window import Route

_DEFAULT_EXCHANGE = ""
_ROUTE = Route(_DEFAULT_EXCHANGE, content_type="application/octet-stream", mandatory=True)


class RabbitTasks:
    """A broker's queues of one vhost: `url` as `RabbitTransport` takes it. A letter's routing key names its queue."""

    def __init__(self, url: str) -> None:
        hosts = self._hosts = Hosts(url)
        self._publisher = Publisher(hosts, _ROUTE)
        self._inspector = Inspector(hosts)

    @property
    def blocked(self) -> str | None:
        """Say why the broker takes no letters now, in its words; None when it does, or was not asked yet."""
        return self._publisher.blocked

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters as `Transport.publish` does; one whose queue does not exist is refused."""
        return self._publisher.publish(letters)

    def stats(self, queue: str) -> QueueStats:
        """Count a queue; what is handed out is not known here. Raises TransportDown, TopologyMissing."""
        return self._inspector.count(queue)

    def close(self) -> None:
        """Let go of all connections and threads."""
        self._hosts.close()
        self._publisher.close()
        self._inspector.close()
