"""Where tests get RabbitMQ from (DESIGN.md section 6): it is found, started or installed; it is never skipped."""

import contextlib
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from launch.broker import define
from launch.services import SERVICES
from shared.bus.topology import tasks_vhost_of, user_of
from tests.servers import apt
from tests.servers.rabbitmq_cluster import Keeper, Member, start_cluster
from tests.servers.rabbitmq_node import RabbitNode, find_script, greets, start_private_node
from tests.waiting import until

_IMAGE = "rabbitmq:4-management"
_AMQP, _MANAGEMENT = 5672, 15672
_BOOT_SECONDS = 90
_NOT_FOUND = 404
_DOCKER_SOCKET = "/var/run/docker.sock"
_HOW = (
    "tests need RabbitMQ: install `rabbitmq-server` (Debian: apt-get install --no-install-recommends rabbitmq-server), "
    "start Docker, or set POPCANDY_TEST_AMQP_URL and POPCANDY_TEST_AMQP_MANAGEMENT_URL"
)


class MissingRabbitMQ(Exception):
    """There is no RabbitMQ and no way to get one; the message says what to install."""


@dataclass(frozen=True)
class Broker:
    """A RabbitMQ that is running."""

    amqp_url: str
    management_url: str
    stop: Callable[[], None] = lambda: None

    @property
    def description(self) -> dict[str, Any]:
        """Say in JSON how it is reached."""
        return {"amqp_url": self.amqp_url, "management_url": self.management_url}

    def tend(self) -> None:
        """Do nothing: it needs no care."""


def find_rabbitmq(folder: Path) -> Broker:
    """Return a running broker: the one named, one in Docker, one started below `folder`. Raises MissingRabbitMQ."""
    return _named() or _in_docker() or _of_node(own_node(folder))


def own_node(folder: Path) -> RabbitNode:
    """Start a node that a test may kill. Raises MissingRabbitMQ, NodeFailed."""
    if find_script() is None:
        _install()
    return start_private_node(folder)


def own_cluster(folder: Path) -> Keeper:
    """Start three nodes that tests may kill. Raises MissingRabbitMQ, NodeFailed."""
    if find_script() is None:
        _install()
    return start_cluster(folder)


@contextlib.contextmanager
def own_vhost(broker: Broker) -> Iterator[str]:
    """Yield the AMQP URL of a new vhost with the topology, vhosts for tasks beside it; all are deleted at the end."""
    with own_users(broker, None) as vhost:
        yield _url_of(broker, vhost)


@contextlib.contextmanager
def own_users(broker: Broker, passwords: Mapping[str, SecretStr] | None) -> Iterator[str]:
    """Yield the name of a new vhost with the topology and, where there are passwords, a user for each service."""
    vhost = _new_name()
    services = [service.name for service in SERVICES]
    define(broker.management_url, vhost=vhost, passwords=passwords)
    try:
        yield vhost
    finally:
        for name in (vhost, *(tasks_vhost_of(vhost, service) for service in services)):
            _delete(broker, f"vhosts/{name}")
        for service in services if passwords else ():
            _delete(broker, f"users/{user_of(vhost, service)}")


def url_as(broker: Broker, vhost: str, service: str, password: SecretStr, *, to: str | None = None) -> str:
    """Name the broker as a service's own user of `vhost` sees it; `to` is another vhost that it may try."""
    host = urlsplit(broker.amqp_url).netloc.rpartition("@")[2]
    return f"amqp://{user_of(vhost, service)}:{password.get_secret_value()}@{host}/{to or vhost}"


def new_vhost(broker: Broker | RabbitNode | Member) -> str:
    """Load the topology into a vhost of the caller's own and return its AMQP URL; it lives as long as the broker.

    The vhost of a service's tasks is `tasks_vhost_of(vhost, service)`.
    """
    vhost = _new_name()
    define(broker.management_url, vhost=vhost)
    return _url_of(broker, vhost)


def _new_name() -> str:
    return f"test-{uuid.uuid4().hex}"


def _url_of(broker: Broker | RabbitNode | Member, vhost: str) -> str:
    return urlsplit(broker.amqp_url)._replace(path=f"/{vhost}").geturl()


def _delete(broker: Broker, path: str) -> None:
    """Delete what a test made, unless it deleted it itself."""
    answer = httpx2.delete(f"{broker.management_url}/api/{path}", timeout=60, trust_env=False)
    if answer.status_code != _NOT_FOUND:
        answer.raise_for_status()


def _of_node(node: RabbitNode) -> Broker:
    return Broker(node.amqp_url, node.management_url, node.stop)


def _named() -> Broker | None:
    environment = os.environ  # noqa: TID251  Names the servers of a test run, which is no setting of ours.
    amqp_url = environment.get("POPCANDY_TEST_AMQP_URL")
    if amqp_url is None:
        return None
    management_url = environment.get("POPCANDY_TEST_AMQP_MANAGEMENT_URL")
    if management_url is None:
        raise MissingRabbitMQ("POPCANDY_TEST_AMQP_URL is set, POPCANDY_TEST_AMQP_MANAGEMENT_URL is missing")
    return Broker(amqp_url, management_url)


def _in_docker() -> Broker | None:
    """Start a container if an engine answers; we ask it first, for the library is slow to import and to fail."""
    if not _docker_answers():
        return None
    # Two seconds, seldom needed. The community's RabbitMqContainer warns of its own deprecated wait; the core does not.
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415  Slow, and of use with an engine only.

    container = DockerContainer(_IMAGE).with_exposed_ports(_AMQP, _MANAGEMENT)
    container.start()
    host, port = container.get_container_host_ip(), int(container.get_exposed_port(_AMQP))
    until(lambda: greets(host, port), timeout=_BOOT_SECONDS, missing=f"the AMQP greeting of {_IMAGE}")
    management_url = f"http://guest:guest@{host}:{container.get_exposed_port(_MANAGEMENT)}"
    return Broker(f"amqp://guest:guest@{host}:{port}/bus", management_url, container.stop)


def _docker_answers() -> bool:
    """Ping the engine's socket."""
    named = urlsplit(os.environ.get("DOCKER_HOST", f"unix://{_DOCKER_SOCKET}"))  # noqa: TID251  Docker's own variable.
    try:
        with socket.socket(socket.AF_UNIX if named.scheme == "unix" else socket.AF_INET) as connection:
            connection.settimeout(1)
            connection.connect(named.path if named.scheme == "unix" else (named.hostname, named.port or 2375))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _install() -> None:
    """Install Debian's package. Raises MissingRabbitMQ."""
    try:
        apt.install("rabbitmq-server")
    except apt.AptFailed as error:
        raise MissingRabbitMQ(f"{_HOW}; {error}") from error
    if find_script() is None:
        raise MissingRabbitMQ(_HOW)
