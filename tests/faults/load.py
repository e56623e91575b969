"""A steady load from an outbox to the ledger over a broker that a test takes apart meanwhile."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag
from uuid import UUID

import orjson
from sqlalchemy import text

from shared.bus.relay import Relay
from shared.bus.testing import Wrapped
from shared.bus.transport import Letter, Outcome, Transport, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.events.activities import AttendanceSettled
from tests.faults.conftest import Line
from tests.faults.processes import Process
from tests.servers.rabbitmq_cluster import Member
from tests.shared.bus.running import running

_AT_ONCE, _PACE_SECONDS = 200, 0.02  # Faster than they are settled.
_DRAIN_SECONDS = 90
_SETTLED = text("SELECT attendance_id FROM donation")
_POSTED = text("SELECT source_id FROM entry")


@dataclass(frozen=True)
class Call:
    """One call of `publish` that brought confirmations; times are of the monotonic clock."""

    begun: float
    ended: float


class Confirming(Wrapped):
    """A transport that notes which facts the broker has confirmed, and when."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.confirmed: set[UUID] = set()
        self.calls: list[Call] = []
        self.under_way = 0
        self.failures = 0

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        begun = time.monotonic()
        self.under_way = len(letters)
        try:
            outcomes = self.transport.publish(letters)
        except TransportDown:
            self.failures += 1
            raise
        finally:
            self.under_way = 0
        confirmed = [letter for letter in letters if outcomes.get(letter.id) is Outcome.CONFIRMED]
        self.confirmed |= {UUID(orjson.loads(letter.body)["attendance_id"]) for letter in confirmed}
        if confirmed:
            self.calls.append(Call(begun, time.monotonic()))
        return outcomes


@dataclass(frozen=True)
class Load:
    """Facts on their way; the consumer is a process, the relay a thread, so that its confirmations can be counted."""

    line: Line
    facts: Sequence[AttendanceSettled]
    publisher: Confirming
    consumer: Process

    @property
    def confirmed(self) -> int:
        return len(self.publisher.confirmed)

    def kill(self, member: Member) -> float:
        """Kill a node while letters are on their way to the broker; return when, by the monotonic clock."""
        self.consumer.until(lambda: self.publisher.under_way >= _AT_ONCE, missing="letters on their way")
        member.kill()
        return time.monotonic()

    def until_moved_on(self, since: float, *, timeout: float) -> float:
        """Return how many seconds after `since` letters were confirmed that were not under way then."""
        later: list[Call] = []

        def moved_on() -> bool:
            later[:] = [call for call in self.publisher.calls if call.begun > since]
            return bool(later)

        self.consumer.until(moved_on, timeout=timeout, missing="new confirmations")
        return later[0].ended - since

    def until_failed(self, count: int) -> None:
        """Wait until the relay could not publish at all, so many times more."""
        wanted = self.publisher.failures + count
        self.consumer.until(lambda: self.publisher.failures >= wanted, missing=f"{count} more failures")

    def drain(self) -> None:
        """Wait until all facts are in the books, then end the consumer as a deploy would."""
        wanted = len(self.facts)
        self.consumer.until(lambda: self.line.outbox == 0, timeout=_DRAIN_SECONDS, missing="an empty outbox")
        self.consumer.until(
            lambda: self.line.donations >= wanted, timeout=_DRAIN_SECONDS, missing=f"{wanted} donations"
        )
        self.consumer.until(lambda: self.line.queue.ready == 0, missing="an empty queue")
        self.consumer.end()

    def account(self) -> str:
        """Hold what was confirmed against what took effect; nothing may be missing or double."""
        with self.line.ledger.transaction() as tx:
            settled, posted = list(tx.scalars(_SETTLED)), list(tx.scalars(_POSTED))
        confirmed = self.publisher.confirmed
        lost = len(confirmed - set(settled))
        doubled = len(settled) - len(set(settled)) + len(posted) - len(set(posted))
        said = f"confirmed {len(confirmed)}, consumed {len(settled)}, lost {lost}, duplicates in effect {doubled}"
        assert (len(confirmed), len(settled), lost, doubled) == (len(self.facts), len(self.facts), 0, 0), said
        return said


@contextmanager
def under_load(line: Line, facts: Sequence[AttendanceSettled], *, urls: str) -> Iterator[Load]:
    """Tell, relay by the broker at `urls` and consume, until the block ends. It begins with a fact that is through."""
    with closing(RabbitTransport(urls)) as transport, closing(line.server.open("activities", pool_size=2)) as outbox:
        publisher = Confirming(transport)
        load = Load(line, facts, publisher, line.consumer())
        with running(Relay(outbox, publisher, service="activities").run):
            line.tell(facts[:1])
            load.consumer.until(lambda: line.donations == 1, missing="the first donation")
            with running(partial(_tell, line, facts[1:])):
                yield load


def _tell(line: Line, facts: Sequence[AttendanceSettled], stop: Flag) -> None:
    for start in range(0, len(facts), _AT_ONCE):
        line.tell(facts[start : start + _AT_ONCE])
        if stop.wait(_PACE_SECONDS):
            return
