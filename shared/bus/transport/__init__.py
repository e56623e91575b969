"""The seam to a broker: everything the bus needs of one, and nothing else.

A transport moves letters. It knows neither events nor handlers nor the services' databases. Two stand behind it:
`rabbit` (RabbitMQ through pika) and `postgres` (tables of the embedded server); one suite of contract tests runs on
both.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol
from uuid import UUID

from shared.errors import Hindrance


@dataclass(frozen=True, slots=True)
class Letter:
    """What is published: CloudEvents attributes as `ce-*` headers, the data as JSON bytes."""

    id: UUID
    routing_key: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrives. Nothing is promised about it: whoever may publish may publish garbage."""

    headers: Mapping[str, str]
    body: bytes
    routing_key: str
    redelivered: bool
    receipt: object = field(repr=False)  # The transport's own; handed back to `ack`.


class Outcome(Enum):
    """What became of a published letter."""

    CONFIRMED = "confirmed"  # Durably in every bound queue, or kept as unrouted.
    REFUSED = "refused"  # The broker said no; it may say yes later.


@dataclass(frozen=True, slots=True)
class QueueStats:
    """How a queue stands: letters ready, letters handed out and not yet acknowledged (None: unknown), consumers."""

    ready: int
    unacked: int | None
    consumers: int


class TransportDown(Hindrance):
    """The broker is not reachable now; nothing is known of letters without an outcome."""


class TopologyMissing(Hindrance):
    """The broker lacks an exchange or queue that we rely on; the message names it and the command that makes it."""


class Subscription(Protocol):
    """One consumer of one queue, used by one thread."""

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Wait at most `timeout` seconds for letters; return one batch in order, or an empty list.

        Raises TransportDown; calling it again after that subscribes again.
        """

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle letters for good, in the order fetched; one whose connection is gone comes again all the same."""

    def close(self) -> None:
        """Stop consuming; what is not acknowledged goes back to the queue."""


class Transport(Protocol):
    """A broker."""

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters in order and wait for their outcomes; one without an outcome is unknown and is sent again.

        Raises TransportDown.
        """

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        """Consume a queue in batches of at most `batch` letters; one subscription of a queue is active at a time."""

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless the exchange and each of `queues` exist. Raises TransportDown."""

    def stats(self, queue: str) -> QueueStats:
        """Count a queue. Raises TransportDown, TopologyMissing."""

    def close(self) -> None:
        """Let go of connections and threads."""
