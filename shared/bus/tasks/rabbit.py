"""dramatiq over RabbitMQ: quorum queues, confirms, and a connection that notices when it is dead.

The arguments of a queue cannot change (PITFALLS D3): whoever changes ARGUMENTS gives `queue_of` a new name, and lets
workers of both releases run until the old queue is empty.
"""

from urllib.parse import parse_qs, urlencode, urlsplit

from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import xq_name

ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": "",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",  # At-least-once dead-lettering wants it.
    "x-delivery-limit": 20,
}
DEAD_ARGUMENTS = {"x-queue-type": "quorum"}  # No time to live: our upkeep empties it.
# What a URL does not say itself. RabbitMQ and pika notice each other's silence within two heartbeats.
_POLICY = {
    "heartbeat": "10",
    "blocked_connection_timeout": "10",
    "socket_timeout": "2",
    "stack_timeout": "4",
    "connection_attempts": "1",
    "tcp_options": "{'TCP_USER_TIMEOUT': 10000}",
}


class QuorumBroker(RabbitmqBroker):
    """One service's queue and its dead queue, declared by the workers when they connect."""

    def __init__(self, urls: str) -> None:
        """Connect to any of `urls`, separated by commas, when needed. No middleware: no guard of ours lives in one."""
        nodes = [_with_policy(url.strip()) for url in urls.split(",")]
        super().__init__(url=nodes, confirm_delivery=True, middleware=[])

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Declare a queue, at the broker if `ensure`; none for delays, which are rows. Raises ConnectionClosed."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.queues_pending.add(queue_name)
            self.emit_after("declare_queue", queue_name)
        if ensure:
            try:
                self._ensure_queue(queue_name)  # type: ignore[no-untyped-call]  # dramatiq has types in part.
            finally:
                del self.connection  # Else each thread that ever declared keeps one, and lets it die (PITFALLS D6).

    def _declare_queue(self, queue_name: str) -> object:
        arguments = ARGUMENTS | {"x-dead-letter-routing-key": xq_name(queue_name)}
        return self.channel.queue_declare(queue=queue_name, durable=True, arguments=arguments)

    def _declare_dq_queue(self, queue_name: str) -> None:
        """Declare nothing."""

    def _declare_xq_queue(self, queue_name: str) -> object:
        return self.channel.queue_declare(queue=xq_name(queue_name), durable=True, arguments=DEAD_ARGUMENTS)


def _with_policy(url: str) -> str:
    parts = urlsplit(url)
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return parts._replace(query=urlencode(_POLICY | said)).geturl()
