"""A transport around another one: where a test kit or a test puts what goes wrong."""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.bus.transport import Letter, Outcome, QueueStats, Subscription, Transport


class Wrapped:
    """Implements `Transport` by passing everything on; override what shall go another way."""

    def __init__(self, transport: Transport) -> None:
        """Stand before `transport`."""
        self.transport = transport

    @property
    def blocked(self) -> str | None:
        """Say why the broker takes no letters now; see `Transport.blocked`."""
        return self.transport.blocked

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters; see `Transport.publish`."""
        return self.transport.publish(letters)

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        """Consume a queue; see `Transport.subscribe`."""
        return self.transport.subscribe(queue, batch=batch)

    def check(self, queues: Collection[str]) -> None:
        """Require the topology; see `Transport.check`."""
        self.transport.check(queues)

    def stats(self, queue: str) -> QueueStats:
        """Count a queue; see `Transport.stats`."""
        return self.transport.stats(queue)

    def close(self) -> None:
        """Let go of what the other holds."""
        self.transport.close()
