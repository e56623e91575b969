"""The embedded broker: two tables of a database of its own on the embedded server.

It keeps RabbitMQ's promises that we rely on: a letter is stored before it is confirmed; bindings are by routing key;
what nobody is bound to is kept for the service that told it; one consumer of a queue is active; what was handed out
and not settled comes again, marked as redelivered. The active consumer holds an advisory lock on a connection of its
own, so its claims live exactly as long as it does.
"""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID
from weakref import WeakSet

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.bus.topology import FOREIGN_QUEUE, Topology
from shared.bus.transport import Delivery, Letter, Outcome, QueueStats, TopologyMissing, TransportDown, fit_and_unfit
from shared.database.sessions import Database

POLL_SECONDS = 0.03

_BIND = text("""
    INSERT INTO binding (queue, routing_key) SELECT * FROM unnest(CAST(:queues AS text[]), CAST(:keys AS text[]))
""")
_PUBLISH = text("""
    INSERT INTO message (queue, routing_key, headers, body)
    SELECT coalesce(b.queue, unheard.queue, :foreign), l.routing_key, l.headers, l.body
    FROM unnest(CAST(:keys AS text[]), CAST(:headers AS text[]), CAST(:bodies AS bytea[]))
         WITH ORDINALITY AS l(routing_key, headers, body, place)
    LEFT JOIN binding b ON b.routing_key = l.routing_key
    LEFT JOIN binding unheard
           ON b.queue IS NULL AND unheard.routing_key = split_part(l.routing_key, '.', 1) || '.#'
    ORDER BY l.place
""")
_TAKE = text("""
    UPDATE message SET taken = true, deliveries = deliveries + 1
    WHERE position IN (SELECT position FROM message WHERE queue = :queue AND NOT taken
                       ORDER BY position LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING position, routing_key, headers, body, deliveries
""")
_LEAD = text("SELECT pg_try_advisory_lock(22, hashtext(:queue))")
_RETURN = text("UPDATE message SET taken = false WHERE queue = :queue AND taken")
_DELETE = text("DELETE FROM message WHERE position = ANY(CAST(:positions AS bigint[]))")
_STATS = text("""
    SELECT count(*) FILTER (WHERE NOT taken) AS ready, count(*) FILTER (WHERE taken) AS unacked,
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 22
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND objid = CAST(CAST(hashtext(:queue) AS bit(32)) AS bigint)) AS consumers
    FROM message WHERE queue = :queue
""")


class PostgresTransport:
    """The embedded transport; it implements `Transport`."""

    def __init__(self, database: Database) -> None:
        """Use the prepared `bus` database."""
        self.database = database
        self._subscriptions: WeakSet[PostgresSubscription] = WeakSet()
        self._closed = False

    def define(self, topology: Topology) -> None:
        """Bind the queues as the topology says; letters that wait are not touched."""
        pairs = [(queue, key) for queue, keys in topology.bindings.items() for key in keys]
        pairs += [(queue, pattern) for pattern, queue in topology.unrouted.items()]
        with self.database.transaction() as tx:
            tx.execute(text("DELETE FROM binding"))
            tx.execute(_BIND, {"queues": [queue for queue, _ in pairs], "keys": [key for _, key in pairs]})

    @property
    def blocked(self) -> None:
        """Say nothing: tables take letters as long as the server runs."""
        return

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Store the fit letters in every bound queue, in one transaction; see `Transport.publish`."""
        fit, unfit = fit_and_unfit(letters)
        with self._reached(), self.database.transaction() as tx:
            tx.execute(_PUBLISH, _columns(fit))
        return unfit | {letter.id: Outcome.CONFIRMED for letter in fit}

    def subscribe(self, queue: str, *, batch: int) -> "PostgresSubscription":
        """Consume a queue; the lock is taken by the first `fetch`."""
        subscription = PostgresSubscription(self.database, queue, batch)
        self._subscriptions.add(subscription)
        return subscription

    def check(self, queues: Collection[str]) -> None:
        """Raise TopologyMissing unless each queue is bound, or one of a service that we know. Raises TransportDown."""
        with self._reached(), self.database.transaction() as tx:
            bound = set(tx.scalars(text("SELECT DISTINCT queue FROM binding")))
        services = {queue.removesuffix(".unrouted") for queue in bound if queue.endswith(".unrouted")}
        kept = {queue for service in services for queue in Topology.queues_of(service)}
        for queue in sorted(set(queues) - bound - kept - {FOREIGN_QUEUE}):
            raise TopologyMissing(f"the embedded broker has no queue {queue}: `./popcandy up` defines it")

    def stats(self, queue: str) -> QueueStats:
        """Count a queue's letters and its active consumer. Raises TransportDown."""
        with self._reached(), self.database.transaction() as tx:
            row = tx.execute(_STATS, {"queue": queue}).one()
        return QueueStats(row.ready, row.unacked, row.consumers)

    def close(self) -> None:
        """Let go of every connection; what is not acknowledged goes back to its queue."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
        self.database.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say what goes wrong with the server as a transport says it. Raises TransportDown."""
        if self._closed:
            raise TransportDown("the transport is closed")
        with _server_errors():
            yield


class PostgresSubscription:
    """One consumer of one queue; it implements `Subscription`."""

    def __init__(self, database: Database, queue: str, batch: int) -> None:
        """Prepare to consume; nothing connects yet."""
        self.database = database
        self.queue = queue
        self.batch = batch
        self._connection: Connection | None = None
        self._closed = threading.Event()

    def fetch(self, *, timeout: float) -> list[Delivery]:
        """Wait for letters, looking every few milliseconds. Raises TransportDown when the server goes away."""
        if self._closed.is_set():
            raise TransportDown("the subscription is closed")
        deadline = time.monotonic() + timeout
        with self._held():
            while True:
                deliveries = self._take()
                if deliveries or time.monotonic() >= deadline or self._closed.wait(POLL_SECONDS):
                    return deliveries

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete settled letters; those claimed on an earlier connection were given back with it and come again."""
        mine = [d.receipt[1] for d in deliveries if isinstance(d.receipt, tuple) and d.receipt[0] is self._connection]
        if self._connection is None or not mine:
            return
        with self._held():
            self._connection.execute(_DELETE, {"positions": mine})
            self._connection.commit()

    def close(self) -> None:
        """Stop consuming and give back what is not settled."""
        self._closed.set()
        if self._connection is not None:
            # If the server is away, the next consumer gives them back when it takes the lock.
            with suppress(TransportDown), self._held():
                self._connection.execute(_RETURN, {"queue": self.queue})
                self._connection.commit()
            self._drop()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Give up the connection, and with it the lock, when the server goes away. Raises TransportDown."""
        try:
            with _server_errors():
                yield
        except TransportDown:
            self._drop()
            raise

    def _take(self) -> list[Delivery]:
        connection = self._active()
        if connection is None:
            return []
        rows = connection.execute(_TAKE, {"queue": self.queue, "batch": self.batch}).all()
        connection.commit()
        return [
            Delivery(
                orjson.loads(row.headers), row.body, row.routing_key, row.deliveries > 1, (connection, row.position)
            )
            for row in sorted(rows)
        ]

    def _active(self) -> Connection | None:
        """Return the connection that holds the queue's lock, or None while another consumer does."""
        if self._connection is None:
            self._connection = self._lead()
        return self._connection

    def _lead(self) -> Connection | None:
        """Take the queue's lock, if it is free, and with it what the consumer before us left unsettled."""
        connection = self.database.engine.connect()
        try:
            leads = connection.execute(_LEAD, {"queue": self.queue}).scalar_one()
            if leads:
                connection.execute(_RETURN, {"queue": self.queue})
            connection.commit()
        except DBAPIError:
            _discard(connection)
            raise
        if leads:
            return connection
        connection.close()
        return None

    def _drop(self) -> None:
        if self._connection is not None:
            _discard(self._connection)
            self._connection = None


def _columns(letters: Sequence[Letter]) -> dict[str, object]:
    return {
        "keys": [letter.routing_key for letter in letters],
        "headers": [orjson.dumps(dict(letter.headers)).decode() for letter in letters],
        "bodies": [letter.body for letter in letters],
        "foreign": FOREIGN_QUEUE,
    }


def _discard(connection: Connection) -> None:
    """Close a connection for good instead of pooling it: the lock goes with it."""
    connection.invalidate()
    connection.close()


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise TransportDown(str(error.orig)) from error
    except PoolTimeout as error:
        raise TransportDown(str(error)) from error
