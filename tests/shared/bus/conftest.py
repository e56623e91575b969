"""Brokers of both kinds (a new one is an entry in PLACES), and databases of a service that tells and one that hears."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared.bus.tables import metadata
from shared.bus.testing import MemoryTransport
from shared.bus.topology import Topology
from shared.bus.transport import Transport
from shared.bus.transport.postgres import PostgresTransport
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.database.sessions import Database
from tests.servers.rabbitmq import own_vhost
from tests.shared.bus.hearing import HEARD
from tests.shared.bus.running import Owner

Connect = Callable[[], Transport]
BUS_TABLES = ", ".join(metadata.tables)


@contextlib.contextmanager
def _rabbit(request: pytest.FixtureRequest) -> Iterator[Connect]:
    with own_vhost(request.getfixturevalue("rabbitmq")) as url:
        yield lambda: RabbitTransport(url)


@contextlib.contextmanager
def _postgres(request: pytest.FixtureRequest) -> Iterator[Connect]:
    server: Server = request.getfixturevalue("server")
    server.prepare("bus")
    with create_engine(server.database_url("bus"), poolclass=NullPool).begin() as owner:
        owner.execute(text("TRUNCATE message, binding"))
    with contextlib.closing(PostgresTransport(server.open("bus", pool_size=2))) as broker:
        broker.define(Topology.load())
    yield lambda: PostgresTransport(server.open("bus", pool_size=4))


@contextlib.contextmanager
def _memory(_request: pytest.FixtureRequest) -> Iterator[Connect]:
    broker = MemoryTransport(Topology.load()).broker
    yield lambda: MemoryTransport(broker)


# Each gives an empty broker with the topology of deploy/rabbitmq/definitions.json and connects as often as asked.
PLACES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[Connect]]] = {
    "rabbit": _rabbit,
    "postgres": _postgres,
    "memory": _memory,
}


@pytest.fixture(params=[pytest.param("rabbit", marks=pytest.mark.rabbitmq), "postgres", "memory"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Return what opens a transport, as often as called, onto one empty broker; all are closed at the end."""
    with PLACES[request.param](request) as make, contextlib.ExitStack() as opened:

        def open_one() -> Transport:
            return opened.enter_context(contextlib.closing(make()))

        yield open_one


@pytest.fixture
def transport(connect: Connect) -> Transport:
    return connect()


@pytest.fixture(scope="session")
def services(server: Server) -> Server:
    """Prepare the databases of a service that tells and of one that hears; the bus's tests have their own."""
    own = Server(server.url, prefix="bus_")
    for service in ("activities", "ledger"):
        own.prepare(service)
    Owner(own, "ledger").execute(HEARD)
    return own


@pytest.fixture
def telling(services: Server) -> Iterator[Database]:
    """Open the database of the service that tells; its outbox is empty."""
    Owner(services, "activities").execute(f"TRUNCATE {BUS_TABLES}")
    with contextlib.closing(services.open("activities", pool_size=5)) as database:
        yield database


@pytest.fixture
def told(services: Server, telling: Database) -> Owner:
    return Owner(services, telling.role.removeprefix("popcandy_"))


@pytest.fixture
def listening(services: Server) -> Iterator[Database]:
    """Open the database of the service that hears; nothing was heard yet."""
    Owner(services, "ledger").execute(f"TRUNCATE {BUS_TABLES}, heard")
    with contextlib.closing(services.open("ledger", pool_size=5)) as database:
        yield database


@pytest.fixture
def hearer(services: Server, listening: Database) -> Owner:
    return Owner(services, listening.role.removeprefix("popcandy_"))
