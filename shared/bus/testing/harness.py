"""Services joined by the bus in one thread: what one tells, the others have heard when `run_until_idle` returns."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import select, text

from shared import clock
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.relay import Relay
from shared.bus.tables import DeadLetter
from shared.bus.tasks.work import Work
from shared.bus.testing.memory import MemoryTransport
from shared.bus.testing.turns import Turns
from shared.bus.testing.working import Working
from shared.bus.testing.wrapped import Wrapped
from shared.bus.timers import Timer
from shared.bus.topology import Topology
from shared.bus.transport import Letter, Outcome, Transport, TransportDown
from shared.database.sessions import Database
from shared.events.base import Event
from shared.events.registry import contracts

ROUNDS = 200
BATCHES = 1_000  # In one turn of a consumer; more are left to the next round.

_READY = text("SELECT count(*) FROM outbox WHERE lane = 'event' AND (due_at IS NULL OR due_at <= :now)")


class StillMoving(AssertionError):
    """The services do not come to rest; the message says what still moves or waits."""


@dataclass(frozen=True, slots=True)
class Member:
    """One service in a harness: its name, its prepared database, what it hears, what its workers do."""

    name: str
    database: Database
    subscriptions: Subscriptions | None = None
    tasks: Sequence[Work] = ()
    timers: Sequence[Timer] = ()


class Harness:
    """Runs the product's own relays and consumers by steps, in the caller's thread.

    Without a `transport` the queues are in memory and bound as the members' subscriptions say. A transport that is
    given stays the caller's to close; for one with a server behind it, `wait_seconds` is how long its letters may take.
    Tasks are tried as often as they may, without a pause; timers are armed when work is first moved, and fire by the
    clock that the harness is told. Each of `runners` does some other work and returns how much; 0 says there was none.
    """

    def __init__(
        self,
        *members: Member,
        transport: Transport | None = None,
        runners: Sequence[Callable[[], int]] = (),
        wait_seconds: float = 0.0,
    ) -> None:
        """Join the members; nothing moves yet."""
        self.members = {member.name: member for member in members}
        self.transport = transport or MemoryTransport(topology_of(members))
        self.runners = [
            *(Working(m.database, m.tasks, m.timers, service=m.name).turn for m in members if m.tasks or m.timers),
            *runners,
        ]
        self.interruptions: Counter[str] = Counter()
        self._seen = _Seen(self.transport)
        self._relays = {name: Relay(member.database, self._seen, service=name) for name, member in self.members.items()}
        self._turns = {
            name: Turns(member.database, member.subscriptions, self.transport, wait_seconds=wait_seconds)
            for name, member in self.members.items()
            if member.subscriptions is not None
        }

    def __enter__(self) -> Self:
        """Be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop consuming and return to the real time."""
        self.close()

    def close(self) -> None:
        """Stop consuming, and return to the real time if `run_until_idle` has left it."""
        for turns in self._turns.values():
            turns.close()
        clock.come_back()

    def run_until_idle(self, *, at: datetime | None = None) -> None:
        """Move facts and run work until nothing moves and nothing waits; with `at`, go to that instant first.

        Facts that are due later than now stay. Raises StillMoving if there is no end to it, TopologyMissing.
        """
        if at is not None:
            clock.travel(at)
        moved, waiting = self._round(), self.waiting()
        for _ in range(ROUNDS):
            if not moved and not waiting:
                return
            moved, waiting = self._round(), self.waiting()
        raise StillMoving(f"after {ROUNDS} rounds; moved in the last one: {_said(moved)}; waiting: {_said(waiting)}")

    def published(self, *types: type[Event]) -> list[Event]:
        """Return the facts of these types, or all, that left their services, in that order, each once."""
        models = contracts() | {model.type: model for model in types}
        letters = ((models.get(letter.headers["ce-type"]), letter) for letter in self._seen.letters.values())
        return [
            model.model_validate_json(letter.body)
            for model, letter in letters
            if model is not None and (not types or issubclass(model, types))
        ]

    def dead_letters(self, name: str) -> list[DeadLetter]:
        """Return what died in a service and was neither replayed nor discarded, oldest first."""
        with self.members[name].database.transaction() as tx:
            dead = select(DeadLetter).where(DeadLetter.state == "dead").order_by(DeadLetter.died_at, DeadLetter.id)
            return list(tx.scalars(dead))

    def relay(self, name: str) -> int:
        """Move one batch out of a service's outbox; return how many rows left it.

        A transport that fails is an interruption: 0, and the rows that it did not confirm stay.
        """
        with self.members[name].database.engine.connect() as connection:
            try:
                return self._relays[name].pump(connection)
            except TransportDown:
                self.interruptions[f"relay of {name}"] += 1
                return 0
            except BaseException:
                connection.invalidate()  # The end of a process leaves no connection in a pool.
                raise

    def consume(self, name: str, *, batches: int = 1) -> int:
        """Settle at most so many batches of a service's queue; return how many letters were acknowledged.

        A transport or a database that fails is an interruption: what was not settled comes again.
        """
        try:
            return self._turns[name].take(most_batches=batches)
        except TransportDown:
            self.interruptions[f"consumer of {name}"] += 1
            return 0

    def interrupt(self, name: str) -> None:
        """Have a service's consumer give up its batch at once if its database fails; for handlers that play that."""
        self._turns[name].interrupt()

    def end_life(self, name: str) -> None:
        """Go on as a new process of a service would: its letters in hand come again, its memory is gone."""
        self._relays[name] = Relay(self.members[name].database, self._seen, service=name)
        if name in self._turns:
            self._turns[name].end_life()

    def inbox(self, name: str) -> Inbox:
        """Return the inbox of a service that hears, for replays."""
        return self._turns[name].inbox

    def waiting(self) -> Counter[str]:
        """Count what is on its way: rows that are due, letters in queues or in hand."""
        found: Counter[str] = Counter()
        for name, member in self.members.items():
            with member.database.transaction() as tx:
                found[f"outbox of {name}"] = tx.execute(_READY, {"now": clock.now()}).scalar_one()
        for turns in self._turns.values():
            stats = self.transport.stats(turns.queue)
            found[turns.queue] = stats.ready + (stats.unacked or 0)
        return +found

    def _round(self) -> Counter[str]:
        """Let everybody work once; return what moved, interruptions among it."""
        before = Counter(self.interruptions)
        moved: Counter[str] = Counter()
        for name in self._relays:
            moved[f"outbox of {name}"] = self.relay(name)
        for name, turns in self._turns.items():
            moved[turns.queue] = self.consume(name, batches=BATCHES)
        for runner in self.runners:
            moved[getattr(runner, "__qualname__", repr(runner))] += runner()
        return +(moved + (self.interruptions - before))


class _Seen(Wrapped):
    """Remembers the letters that a broker has confirmed, in that order."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.letters: dict[UUID, Letter] = {}

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        outcomes = self.transport.publish(letters)
        for letter in letters:
            if outcomes.get(letter.id) is Outcome.CONFIRMED:
                self.letters.setdefault(letter.id, letter)
        return outcomes


def topology_of(members: Sequence[Member]) -> Topology:
    """Bind the members' queues to what they hear."""
    heard = (member.subscriptions for member in members if member.subscriptions is not None)
    return Topology({one.queue: frozenset(one.routing_keys) for one in heard})


def _said(counted: Counter[str]) -> str:
    return ", ".join(f"{what} ({number})" for what, number in sorted(counted.items())) or "nothing"
