"""Asking a broker what exists, without declaring it."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from shared.bus.transport import QueueStats, TransportDown
from shared.bus.transport.rabbit.connection import CONNECT_SECONDS, FromPika, Hosts, Wire


class Inspector:
    """The one connection that asks; it is opened when it is needed."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._wire: Wire | None = None
        self._answer: Future[FromPika] = Future()
        self._one_at_a_time = Lock()

    def require_exchange(self, name: str) -> None:
        """Refuse an exchange that is not there. Raises TopologyMissing, TransportDown."""
        self._ask(lambda channel, answer: channel.exchange_declare(name, passive=True, callback=answer))

    def count(self, queue: str) -> QueueStats:
        """Count a queue; what is handed out is not known here. Raises TopologyMissing, TransportDown."""
        counted = self._ask(lambda channel, answer: channel.queue_declare(queue, passive=True, callback=answer)).method
        return QueueStats(ready=counted.message_count, unacked=None, consumers=counted.consumer_count)

    def close(self) -> None:
        """Disconnect."""
        if self._wire is not None:
            self._wire.close()

    def _ask(self, question: Callable[[FromPika, Callable[[FromPika], None]], None]) -> FromPika:
        with self._one_at_a_time:
            wire = self._connected()
            answer: Future[FromPika] = Future()
            self._answer = answer
            wire.call(lambda: None if wire.lost else question(wire.channel, answer.set_result))
            if wire.lost is None:
                _wait(answer, wire)
            wire.require()
            return answer.result(timeout=0)

    def _connected(self) -> Wire:
        if self._wire is None or self._wire.lost is not None:
            self._wire = self._hosts.connect(prepare=Wire.opened, on_lost=self._on_lost)
        return self._wire

    def _on_lost(self, wire: Wire) -> None:
        if wire is self._wire and not self._answer.done():
            self._answer.set_result(None)


def _wait(answer: Future[FromPika], wire: Wire) -> None:
    try:
        answer.result(timeout=CONNECT_SECONDS)
    except TimeoutError:
        wire.close()  # Or its late answer would meet the next question.
        raise TransportDown(f"RabbitMQ did not answer within {CONNECT_SECONDS:.0f} s") from None
