"""A process that tells, relays, consumes or replays with the product's own parts, and stops at a point to be killed.

`python -m tests.faults.actor relay --stop-at published …`. The points are outside the product's code: around the calls
that it makes to its broker, and at the end of its handlers.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from types import FrameType
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from launch.services import service_named
from shared import bus
from shared.bus.consumer import Consumer
from shared.bus.dead_letters.replayer import Replayer
from shared.bus.handlers import Handler, Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.relay import Relay
from shared.bus.testing import Wrapped
from shared.bus.transport import Delivery, Letter, Outcome, Subscription, Transport
from shared.bus.transport.postgres import PostgresTransport
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from tests.faults.facts import make_facts

LEASE_SECONDS = 2.0  # A killed Replayer's; whoever goes on waits for its end.


class Point(StrEnum):
    """Where a process may be told to stop."""

    CLAIMED = "claimed"  # The relay has read its rows and published none.
    PUBLISHED = "published"  # The broker has confirmed them, and they still stand in the outbox.
    HANDLED = "handled"  # The consumer's handler is through, and its transaction is open.
    COMMITTED = "committed"  # The transaction is committed, and nothing is acknowledged.
    NOWHERE = "nowhere"


class Stop:
    """Tells who watches that the point is reached, and waits there for good."""

    def __init__(self, point: Point, marker: Path) -> None:
        self.point = point
        self.marker = marker

    def at(self, point: Point) -> None:
        """Stop, if this is where."""
        if point is self.point:
            self.marker.touch()
            Flag().wait()


class StoppingTransport(Wrapped):
    """A transport with points before and after what it does."""

    def __init__(self, transport: Transport, stop: Stop) -> None:
        super().__init__(transport)
        self.stop = stop

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        self.stop.at(Point.CLAIMED)
        outcomes = self.transport.publish(letters)
        self.stop.at(Point.PUBLISHED)
        return outcomes

    def subscribe(self, queue: str, *, batch: int) -> Subscription:
        return StoppingSubscription(self.transport.subscribe(queue, batch=batch), self.stop)


class StoppingSubscription:
    """A subscription with a point before it acknowledges."""

    def __init__(self, subscription: Subscription, stop: Stop) -> None:
        self.subscription = subscription
        self.stop = stop

    def fetch(self, *, timeout: float) -> list[Delivery]:
        return self.subscription.fetch(timeout=timeout)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.stop.at(Point.COMMITTED)
        self.subscription.ack(deliveries)

    def close(self) -> None:
        self.subscription.close()


class Unbearable(Exception):
    """What the handler of a test raises over a fact that it was told to refuse."""


def tampered(handler: Handler[Any], stop: Stop, told: argparse.Namespace) -> Handler[Any]:
    """Make a handler do what the test says: end the process over one fact, refuse one, take its time, or stop."""
    slow = told.slow_seconds

    def run(tx: Session, events: Sequence[Any]) -> None:
        nonlocal slow
        named = {event.attendance_id for event in events}
        _say("handled")
        handler.run(tx, events)
        if told.die_of in named:
            os.kill(os.getpid(), signal.SIGKILL)
        if told.refuse in named:
            raise Unbearable(told.refuse)
        tx.flush()
        if slow:
            stop.marker.touch()
            Flag().wait(slow)
            slow = 0.0
        stop.at(Point.HANDLED)

    return replace(handler, run=run, batch=told.batch, ordered=told.ordered)


def main() -> None:
    """Play a role until told to end, or until killed at the point."""
    told = _arguments()
    server = Server(told.database, prefix=told.prefix)
    bare = RabbitTransport(told.amqp) if told.amqp else PostgresTransport(server.open("bus", pool_size=4))
    stop = Stop(told.stop_at, told.marker)
    over = Flag()

    def end(_number: int, _frame: FrameType | None) -> None:
        Thread(target=over.set).start()  # The thread that is interrupted here may hold the event's own lock.

    signal.signal(signal.SIGTERM, end)
    _say("ready")
    _work(told, server, StoppingTransport(bare, stop), stop)(over)
    bare.close()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _work(told: argparse.Namespace, server: Server, transport: Transport, stop: Stop) -> Callable[[Flag], None]:
    if told.role in {"consumer", "replayer"}:
        handlers = [tampered(handler, stop, told) for handler in service_named("ledger").handlers]
        inbox = Inbox(server.open("ledger", pool_size=3), Subscriptions("ledger", handlers))
        if told.role == "replayer":
            return Replayer(inbox.database, inbox, lease_seconds=LEASE_SECONDS).run
        return Consumer(transport, inbox).run
    activities = server.open("activities", pool_size=3)
    if told.tell:
        with activities.transaction() as tx:
            bus.emit_all(tx, make_facts(told.tell, programme_id=told.programme))
    return Relay(activities, transport, service="activities").run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["relay", "consumer", "replayer"])
    parser.add_argument("--database", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--amqp", default="")
    parser.add_argument("--stop-at", type=Point, default=Point.NOWHERE)
    parser.add_argument("--marker", type=Path, required=True)
    parser.add_argument("--tell", type=int, default=0)
    parser.add_argument("--die-of", type=UUID)
    parser.add_argument("--refuse", type=UUID)
    parser.add_argument("--slow-seconds", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--ordered", action="store_true")
    parser.add_argument("--programme", type=UUID)
    return parser.parse_args()


if __name__ == "__main__":
    main()
