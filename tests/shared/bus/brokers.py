"""A broker that does what a test says, for what real ones do too seldom: refuse, forget, hang."""

from collections.abc import Callable, Collection, Sequence
from threading import Event as Flag
from uuid import UUID

from shared.bus.transport import Delivery, Letter, Outcome, QueueStats, Subscription

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


class Scripted:
    """Implements `Transport`: it answers as told, call by call, and confirms from then on."""

    def __init__(self, *answers: Answer) -> None:
        self.calls: list[list[Letter]] = []
        self._answers = list(answers)

    @property
    def letters(self) -> list[Letter]:
        """All that was sent, repeats included."""
        return [letter for call in self.calls for letter in call]

    @property
    def blocked(self) -> None:
        return

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        self.calls.append(list(letters))
        return (self._answers.pop(0) if self._answers else confirm)(letters)

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        raise NotImplementedError

    def check(self, queues: Collection[str]) -> None:
        raise NotImplementedError

    def stats(self, queue: str) -> QueueStats:
        raise NotImplementedError

    def close(self) -> None:
        """Hold nothing."""


class Handing:
    """Implements `Transport` and `Subscription`: it hands out batches as told, and notes how long it was waited for."""

    def __init__(self, *batches: Sequence[Delivery] | Exception) -> None:
        self.timeouts: list[float] = []
        self.acked: list[Delivery] = []
        self.over = Flag()
        self._batches = list(batches)

    @property
    def blocked(self) -> None:
        return None

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        raise NotImplementedError

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        del queue, batch
        return self

    def check(self, queues: Collection[str]) -> None:
        raise NotImplementedError

    def stats(self, queue: str) -> QueueStats:
        raise NotImplementedError

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

    def close(self) -> None:
        """Hold nothing."""
