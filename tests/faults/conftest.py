"""A line from an outbox to the ledger, over either transport, whose parts are processes that a test kills."""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from services.ledger.donations import queries as donations
from services.ledger.donations.tables import Donation
from shared import bus
from shared.bus.tables import DeadLetter, Inbox
from shared.bus.topology import Topology
from shared.bus.transport import QueueStats, Transport
from shared.bus.transport.postgres import PostgresTransport
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled, Attended
from shared.ids import new_id
from tests.factories.ledger import make_policy_version
from tests.faults.actor import Point
from tests.faults.facts import worth
from tests.faults.processes import Process, Processes, processes
from tests.servers.rabbitmq import own_vhost
from tests.waiting import until

INBOX = "ledger.inbox"


class Line:
    """The way from a check-out to a donation: two databases, a broker, and processes between them."""

    def __init__(self, server: Server, amqp: str, started: Processes) -> None:
        self.server = server
        self.programme_id = new_id()
        self._amqp = amqp
        self._started = started
        for service in ("activities", "ledger"):
            server.prepare(service)
        self.activities: Database = server.open("activities", pool_size=2)
        self.ledger: Database = server.open("ledger", pool_size=2)
        self.transport = self._connect()
        with self.ledger.transaction() as tx:
            make_policy_version(tx, programme_id=self.programme_id)

    def _connect(self) -> Transport:
        if self._amqp:
            return RabbitTransport(self._amqp)
        self.server.prepare("bus")
        transport = PostgresTransport(self.server.open("bus", pool_size=2))
        transport.define(Topology.load())
        return transport

    def tell(self, facts: Sequence[Attended]) -> None:
        """Commit facts into the outbox."""
        with self.activities.transaction() as tx:
            bus.emit_all(tx, facts)

    def relay(self, stop_at: Point = Point.NOWHERE, *, tell: int = 0) -> Process:
        return self._start("relay", stop_at, f"--tell={tell}", f"--programme={self.programme_id}")

    def consumer(self, stop_at: Point = Point.NOWHERE, *more: str) -> Process:
        """Start a consumer; `more` says how its handler is tampered with."""
        return self._start("consumer", stop_at, *more)

    def replayer(self, stop_at: Point = Point.NOWHERE) -> Process:
        return self._start("replayer", stop_at)

    def kill_at(self, start: Callable[[Point], Process], point: Point) -> None:
        """Start a process, wait until it stops at the point, and kill it there."""
        process = start(point)
        process.until(self._marker(point).exists, missing=f"the point `{point}`")
        process.kill()

    def _start(self, role: str, stop_at: Point, *more: str) -> Process:
        url = self.server.url.render_as_string(hide_password=False)
        return self._started.start(
            "tests.faults.actor", role, f"--database={url}", f"--prefix={self.server.prefix}", f"--amqp={self._amqp}",
            f"--stop-at={stop_at}", f"--marker={self._marker(stop_at)}", *more,
        )  # fmt: skip

    def _marker(self, point: Point) -> Path:
        return self._started.folder / point

    @property
    def marks(self) -> int:
        """How many letters the inbox remembers."""
        with self.ledger.transaction() as tx:
            return tx.scalar(select(func.count()).select_from(Inbox)) or 0

    @property
    def is_slow(self) -> bool:
        """Say whether a handler that takes its time has begun to."""
        return self._marker(Point.NOWHERE).exists()

    @property
    def dead(self) -> list[tuple[UUID, str, int]]:
        """The dead letters: whose, why, after how many tries."""
        with self.ledger.transaction() as tx:
            found = select(DeadLetter.partition_key, DeadLetter.reason, DeadLetter.attempts)
            return [(UUID(key), reason, tries) for key, reason, tries in tx.execute(found.order_by(DeadLetter.id))]

    @property
    def outbox(self) -> int:
        with self.activities.transaction() as tx:
            return int(tx.execute(text("SELECT count(*) FROM outbox")).scalar_one())

    @property
    def queue(self) -> QueueStats:
        return self.transport.stats(INBOX)

    @property
    def donations(self) -> int:
        with self.ledger.transaction() as tx:
            return tx.scalar(select(func.count()).select_from(Donation)) or 0

    def recover(self, facts: Sequence[AttendanceSettled]) -> None:
        """Let a relay and a consumer finish what was left, then end them as a deploy would.

        RabbitMQ does not say what a consumer has in hand; one that is told to end while it takes letters one by one
        leaves the rest to the next.
        """
        relay, consumer = self.relay(), self.consumer()
        for process in (relay, consumer):  # Before that it has nothing with which to end in order.
            process.until(lambda process=process: "ready" in process.output, missing="a process that works")
        consumer.until(lambda: self.outbox == 0, missing="an empty outbox")
        consumer.until(lambda: self.donations >= len(facts), missing=f"{len(facts)} donations")
        consumer.until(lambda: self.queue.ready == 0 and not self.queue.unacked, missing="an empty queue")
        relay.end()
        consumer.end()
        until(lambda: self.queue.consumers == 0, timeout=20, missing="a queue that nobody reads")
        if self.queue.ready:
            self.recover(facts)

    def require_exact(self, facts: Sequence[AttendanceSettled], *, dead: int = 0) -> None:
        """Check the oracle: sum of the ledger = sum of the facts, each fact once, no row left open."""
        until(lambda: self.queue == QueueStats(0, self.queue.unacked, 0), timeout=20, missing="an empty, idle queue")
        assert (self.outbox, self.queue.unacked or 0) == (0, 0)
        with self.ledger.transaction() as tx:
            told = {fact.attendance_id: fact.matchable_minutes for fact in facts}
            rows = tx.execute(select(Donation.attendance_id, Donation.matchable_minutes))
            assert sorted(tuple(row) for row in rows) == sorted(told.items())
            assert tx.scalar(select(func.sum(Donation.fen))) == worth(facts)
            proof = donations.prove_balance(tx, programme_id=self.programme_id, partner_scope=None)
            assert proof.balanced
            assert tx.execute(text("SELECT count(*) FROM dead_letter WHERE state = 'dead'")).scalar_one() == dead
            assert tx.execute(text("SELECT count(*) FROM parked_letter")).scalar_one() == 0
            assert tx.execute(text("SELECT count(*) FROM suspect")).scalar_one() == 0
            posted = text("SELECT coalesce(sum(fen), 0) FROM leg WHERE fen > 0")
            assert tx.execute(posted).scalar_one() == worth(facts)

    def close(self) -> None:
        self.transport.close()
        self.activities.close()
        self.ledger.close()


@contextlib.contextmanager
def own_line(server: Server, amqp: str, folder: Path) -> Iterator[Line]:
    """Build a line with databases of its own; `amqp` is the broker's URL, or empty for PostgreSQL's."""
    with contextlib.ExitStack() as stack:
        own = Server(server.url, prefix=f"fault_{uuid.uuid4().hex[:8]}_")
        for service in ("activities", "ledger", "bus"):
            stack.callback(own.drop, service)
        started = stack.enter_context(processes(folder))
        yield stack.enter_context(contextlib.closing(Line(own, amqp, started)))


@pytest.fixture(params=[pytest.param("rabbit", marks=pytest.mark.rabbitmq), "postgres"])
def line(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Line]:
    """Build a line of its own for each test, over each transport; its server outlives its processes."""
    with contextlib.ExitStack() as stack:
        amqp = ""
        if request.param == "rabbit":
            amqp = stack.enter_context(own_vhost(request.getfixturevalue("rabbitmq")))
        yield stack.enter_context(own_line(server, amqp, tmp_path))


@pytest.fixture
def programme_id(line: Line) -> UUID:
    return line.programme_id
