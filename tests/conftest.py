"""What all tests share: the servers of one run."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from playwright.sync_api import Browser
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from shared.auth import certificate_keys
from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.privacy import suppression
from shared.settings import Settings
from tests.servers.chromium import chromium
from tests.servers.postgres import private_server
from tests.servers.rabbitmq import Broker, find_rabbitmq, own_cluster, own_node
from tests.servers.rabbitmq_cluster import RabbitCluster
from tests.servers.rabbitmq_node import RabbitNode
from tests.servers.sharing import Shared, wait_for_broker, wait_for_cluster, want
from tests.web_options import SECRET

SEEDS = [certificate_keys.new_seed()]
_shared = pytest.StashKey[list[Shared]]()
_rabbitmq, _cluster = pytest.StashKey[Path](), pytest.StashKey[Path]()
_MEASURED, _NIGHTLY, _LONG = "measured", "nightly", "long"


def pytest_configure(config: pytest.Config) -> None:
    """Own the servers, or as a worker learn where their addresses will be."""
    config.addinivalue_line("markers", "rabbitmq: wants RabbitMQ though no fixture of that name says so")
    told: dict[str, str] | None = getattr(config, "workerinput", None)
    if told is None:
        config.stash[_shared] = [Shared(find_rabbitmq), Shared(own_cluster)]
        config.stash[_rabbitmq], config.stash[_cluster] = (shared.folder for shared in config.stash[_shared])
    else:
        config.stash[_rabbitmq], config.stash[_cluster] = Path(told["rabbitmq"]), Path(told["cluster"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist."""
    node.workerinput["rabbitmq"] = str(node.config.stash[_rabbitmq])
    node.workerinput["cluster"] = str(node.config.stash[_cluster])


@pytest.fixture(autouse=True)
def _suppressor() -> None:
    """Hash erased numbers and sign with the tests' own, whatever platform ran in this process before."""
    suppression.use([SECRET])
    certificate_keys.use(SEEDS)


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Leave logging as it was: a command that is run in this process writes to a stream that ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if root.handlers != handlers:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes minutes; leave out what takes a night, unless `-m` names it, and say how much that was."""
    items.sort(key=lambda item: item.get_closest_marker(_LONG) is None)  # The others stay in their random order.
    if _NIGHTLY in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker(_NIGHTLY)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start early what a selected test will wait for."""
    for item in session.items:
        if "rabbitmq" in getattr(item, "fixturenames", ()) or item.get_closest_marker("rabbitmq"):
            want(session.config.stash[_rabbitmq])
            return


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property("measured", …)`), wherever they ran."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    lines = [(report.nodeid, said) for report in reports for name, said in report.user_properties if name == _MEASURED]
    if lines:
        terminalreporter.section("measured")
    if _NIGHTLY not in terminalreporter.config.option.markexpr:
        terminalreporter.write_line("left out: what is marked nightly (./popcandy test -m nightly)")
    for nodeid, said in lines:
        terminalreporter.write_line(f"{nodeid}: {said}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    for shared in config.stash.get(_shared, []):
        shared.stop()


@pytest.fixture(scope="session")
def rabbitmq(request: pytest.FixtureRequest) -> Broker:
    """Return the RabbitMQ of this run; take a vhost of your own in it (`own_vhost`)."""
    return wait_for_broker(request.config.stash[_rabbitmq])


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[RabbitCluster]:
    """Hold the cluster of this run: three nodes that a test may kill. Tests that want it are marked `cluster`."""
    nodes = wait_for_cluster(request.config.stash[_cluster])
    with nodes.held():
        yield nodes


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """Start a RabbitMQ node that the tests of one module may kill."""
    with contextlib.ExitStack() as stack:
        one = own_node(tmp_path_factory.mktemp("rabbitmq"))
        stack.callback(one.stop)
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser for a module's tests; take a context of your own in it.

    Not for longer: Playwright keeps an event loop in this thread, beside which no other can run.
    """
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a PostgreSQL for this process's tests; services' databases on it are named `test_<service>`."""
    with private_server() as embedded:
        _keep_statistics(embedded.url)
        yield Server(embedded.url, prefix="test_")


def _keep_statistics(url: URL) -> None:
    """Let no statistics be taken unasked: a plan that a test looks at does not depend on how long the others took."""
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedIssuer:
    """Sign tokens that the apps under test accept."""
    return EmbeddedIssuer(tmp_path_factory.mktemp("issuer"), Settings())


@pytest.fixture
def programme() -> UUID:
    """Name a programme of this test's own: what it commits stays, and disturbs nobody."""
    return uuid4()
