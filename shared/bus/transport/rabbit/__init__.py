"""RabbitMQ as a transport: the only package that imports pika.

One connection publishes, one asks, and each subscription has its own; each is owned by an I/O thread. Nothing is
declared here: `./popcandy broker define` loads the topology, `check` says what is missing.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from threading import Lock
from uuid import UUID
from weakref import WeakSet

from shared.bus.transport import Letter, Outcome, QueueStats, TopologyMissing, TransportDown
from shared.bus.transport.rabbit.connection import CONNECT_SECONDS, FromPika, Hosts, Wire
from shared.bus.transport.rabbit.consumer import RabbitSubscription
from shared.bus.transport.rabbit.publisher import EXCHANGE, Publisher


class _Inspector:
    """Asks what exists, without declaring it."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._wire: Wire | None = None
        self._answer: Future[FromPika] = Future()
        self._one_at_a_time = Lock()

    def exchange(self, name: str) -> None:
        """Raise TopologyMissing unless the exchange exists. Raises TransportDown."""
        self._ask(
            f"exchange {name}", lambda channel, answer: channel.exchange_declare(name, passive=True, callback=answer)
        )

    def queue(self, name: str) -> FromPika:
        """Return the broker's Queue.DeclareOk. Raises TopologyMissing, TransportDown."""
        return self._ask(
            f"queue {name}", lambda channel, answer: channel.queue_declare(name, passive=True, callback=answer)
        ).method

    def close(self) -> None:
        """Disconnect."""
        if self._wire is not None:
            self._wire.close()

    def _ask(self, what: str, question: Callable[[FromPika, Callable[[FromPika], None]], None]) -> FromPika:
        with self._one_at_a_time:
            wire = self._connected()
            answer: Future[FromPika] = Future()
            self._answer = answer
            wire.call(lambda: None if wire.lost else question(wire.channel, answer.set_result))
            if wire.lost is None:
                _wait(answer, wire)
            if wire.not_found:
                raise TopologyMissing(f"RabbitMQ has no {what}: run `./popcandy broker define`")
            wire.require()
            return answer.result(timeout=0)

    def _connected(self) -> Wire:
        if self._wire is None or self._wire.lost is not None:
            self._wire = self._hosts.connect(prepare=Wire.opened, on_lost=self._on_lost)
        return self._wire

    def _on_lost(self, wire: Wire) -> None:
        if wire is self._wire and not self._answer.done():
            self._answer.set_result(None)


class RabbitTransport:
    """A broker, or a cluster of them: `url` is one AMQP URL with its vhost, or several with commas between."""

    def __init__(self, url: str) -> None:
        self._hosts = Hosts(url)
        self._publisher = Publisher(self._hosts)
        self._inspector = _Inspector(self._hosts)
        self._subscriptions: WeakSet[RabbitSubscription] = WeakSet()

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters in order, at most 2,000 unconfirmed at a time; see `Transport.publish`."""
        return self._publisher.publish(letters)

    def subscribe(self, queue: str, *, batch: int) -> RabbitSubscription:
        """Consume a queue; the connection is made by the first `fetch`."""
        subscription = RabbitSubscription(self._hosts, queue, batch=batch)
        self._subscriptions.add(subscription)
        return subscription

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless the exchange and each of `queues` exist. Raises TransportDown."""
        self._inspector.exchange(EXCHANGE)
        for queue in queues:
            self._inspector.queue(queue)

    def stats(self, queue: str) -> QueueStats:
        """Count a queue; what is handed out is not known here. Raises TransportDown, TopologyMissing."""
        counted = self._inspector.queue(queue)
        return QueueStats(ready=counted.message_count, unacked=None, consumers=counted.consumer_count)

    def close(self) -> None:
        """Let go of all connections and threads."""
        self._hosts.close()
        for subscription in list(self._subscriptions):
            subscription.close()
        self._publisher.close()
        self._inspector.close()


def _wait(answer: Future[FromPika], wire: Wire) -> None:
    try:
        answer.result(timeout=CONNECT_SECONDS)
    except TimeoutError:
        wire.close()  # Or its late answer would meet the next question.
        raise TransportDown(f"RabbitMQ did not answer within {CONNECT_SECONDS:.0f} s") from None
