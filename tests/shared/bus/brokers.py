"""A broker that does what a test says, for what real ones do too seldom: refuse, forget, hang."""

from collections.abc import Callable, Sequence
from threading import Event as Flag
from uuid import UUID

from shared.bus.testing import MemoryTransport, Wrapped
from shared.bus.topology import Topology
from shared.bus.transport import Delivery, Letter, Outcome, Subscription

Answer = Callable[[Sequence[Letter]], dict[UUID, Outcome]]


def confirm(letters: Sequence[Letter]) -> dict[UUID, Outcome]:
    return {letter.id: Outcome.CONFIRMED for letter in letters}


def confirm_only(first: int) -> Answer:
    """Say nothing about the letters behind the first few."""
    return lambda letters: confirm(letters[:first])


def refuse(*ids: UUID) -> Answer:
    """Refuse some letters and confirm the others."""
    return lambda letters: (
        confirm(letters) | {letter.id: Outcome.REFUSED for letter in letters if UUID(letter.headers["ce-id"]) in ids}
    )


class Scripted(Wrapped):
    """Answers what is published as told, call by call, and confirms from then on."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(MemoryTransport(Topology({})))
        self.calls: list[list[Letter]] = []
        self._answers = list(answers)

    @property
    def letters(self) -> list[Letter]:
        """All that was sent, repeats included."""
        return [letter for call in self.calls for letter in call]

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        self.calls.append(list(letters))
        return (self._answers.pop(0) if self._answers else confirm)(letters)


class Handing(Wrapped):
    """Hands out batches as told, to one subscription that is itself, and notes how long it was waited for."""

    def __init__(self, *batches: Sequence[Delivery] | Exception) -> None:
        super().__init__(MemoryTransport(Topology({})))
        self.timeouts: list[float] = []
        self.acked: list[Delivery] = []
        self.over = Flag()
        self._batches = list(batches)

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        del queue, batch
        return self

    def fetch(self, *, timeout: float) -> list[Delivery]:
        self.timeouts.append(timeout)
        if not self._batches:
            self.over.set()
            return []
        batch = self._batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return list(batch)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.acked += deliveries
