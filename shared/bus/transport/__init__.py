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

MAX_BODY_BYTES = 1 << 20
MAX_NAME_BYTES = 255  # Of a routing key and of a header's name: AMQP's short strings.
MAX_HEADERS_BYTES = 100_000  # Names and values together: they must fit into one frame of 128 KiB.


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
    UNFIT = "unfit"  # No broker can ever carry it and none was asked; `unfitness` says why.


@dataclass(frozen=True, slots=True)
class QueueStats:
    """How a queue stands: letters ready, letters handed out and not yet acknowledged (None: unknown), consumers."""

    ready: int
    unacked: int | None
    consumers: int


class TransportDown(Hindrance):
    """The broker is not reachable now; nothing is known of letters without an outcome."""


class Forbidden(TransportDown):
    """The broker does not allow it, and says in the message what; of letters sent at once it does not say which.

    All without an outcome are unknown, as ever: sent one by one, the one that is forbidden shows itself.
    """


class Blocked(TransportDown):
    """The broker takes no letters now, as it is short of memory or disk; it says itself when it takes them again."""


class TopologyMissing(Hindrance):
    """The broker lacks an exchange or queue that we rely on; the message names it and the command that makes it."""


class Subscription(Protocol):
    """One consumer of one queue, used by one thread."""

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Wait at most `timeout` seconds for letters; return one batch in order, or an empty list.

        Raises TransportDown, TopologyMissing while there is no such queue; calling it again subscribes again.
        """

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle letters for good, in the order fetched; one whose connection is gone comes again all the same."""

    def close(self) -> None:
        """Stop consuming; what is not acknowledged goes back to the queue."""


class Transport(Protocol):
    """A broker."""

    @property
    def blocked(self) -> str | None:
        """Say why the broker takes no letters now, in its words; None when it does, or was not asked yet."""

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters in order and wait for their outcomes; one without an outcome is unknown and is sent again.

        An unfit letter is not sent and harms no neighbour. When nothing is known of any other: raises TransportDown,
        Forbidden and Blocked among it, or TopologyMissing.
        """

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        """Consume a queue in batches of at most `batch` letters; one subscription of a queue is active at a time."""

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless the exchange and each of `queues` exist. Raises TransportDown."""

    def stats(self, queue: str) -> QueueStats:
        """Count a queue. Raises TransportDown, TopologyMissing."""

    def close(self) -> None:
        """Let go of connections and threads."""


def unfitness(letter: Letter) -> str | None:
    """Say why no broker can ever carry a letter, naming the limit; None if it is fit."""
    try:
        text = "\n".join((letter.routing_key, *letter.headers, *letter.headers.values())).encode()
    except UnicodeEncodeError:
        return "the routing key or a header is no Unicode text"
    if b"\0" in text:
        return "the routing key or a header contains a null character"
    if any(_is_long(name) for name in (letter.routing_key, *letter.headers)):
        return f"the routing key or a header's name is longer than {MAX_NAME_BYTES} bytes"
    if len(text) > MAX_HEADERS_BYTES:
        return f"the routing key and headers are longer than {MAX_HEADERS_BYTES:,} bytes"
    if len(letter.body) > MAX_BODY_BYTES:
        return f"the body has {len(letter.body):,} bytes, the limit is {MAX_BODY_BYTES:,}"
    return None


def fit_and_unfit(letters: Sequence[Letter]) -> tuple[Sequence[Letter], dict[UUID, Outcome]]:
    """Part the letters that can be sent, in their order, from the outcomes of those that cannot."""
    unfit = {letter.id: Outcome.UNFIT for letter in letters if unfitness(letter)}
    return ([letter for letter in letters if letter.id not in unfit] if unfit else letters), unfit


def _is_long(name: str) -> bool:
    return len(name) * 4 > MAX_NAME_BYTES and len(name.encode()) > MAX_NAME_BYTES
