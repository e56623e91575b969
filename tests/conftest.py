"""What all tests share: the servers of one run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.settings import Settings
from tests.servers.postgres import private_server
from tests.servers.rabbitmq import Broker
from tests.servers.sharing import SharedBroker, wait_for_broker, want_broker

_shared = pytest.StashKey[SharedBroker]()
_folder = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Own the servers, or as a worker learn where their addresses will be."""
    config.addinivalue_line("markers", "rabbitmq: wants RabbitMQ though no fixture of that name says so")
    told: dict[str, str] | None = getattr(config, "workerinput", None)
    if told is None:
        config.stash[_shared] = SharedBroker()
    config.stash[_folder] = Path(told["rabbitmq"]) if told is not None else config.stash[_shared].folder


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist."""
    node.workerinput["rabbitmq"] = str(node.config.stash[_folder])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start early what a selected test will wait for."""
    for item in session.items:
        if "rabbitmq" in getattr(item, "fixturenames", ()) or item.get_closest_marker("rabbitmq"):
            want_broker(session.config.stash[_folder])
            return


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    shared = config.stash.get(_shared, None)
    if shared is not None:
        shared.stop()


@pytest.fixture(scope="session")
def rabbitmq(request: pytest.FixtureRequest) -> Broker:
    """Return the RabbitMQ of this run; take a vhost of your own in it (`own_vhost`)."""
    return wait_for_broker(request.config.stash[_folder])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a PostgreSQL for this process's tests; services' databases on it are named `test_<service>`."""
    with private_server() as embedded:
        yield Server(embedded.url, prefix="test_")


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedIssuer:
    """Sign tokens that the apps under test accept."""
    return EmbeddedIssuer(tmp_path_factory.mktemp("issuer"), Settings())


@pytest.fixture
def programme() -> UUID:
    """Name a programme of this test's own: what it commits stays, and disturbs nobody."""
    return uuid4()
