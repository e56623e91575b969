"""Where contenders run: a PostgreSQL and a RabbitMQ of one benchmark's own, durable, on this machine."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
from sqlalchemy import URL

from shared.database.embedded import EmbeddedServer
from shared.database.server import Server
from tests.faults.processes import Processes, processes
from tests.servers.postgres import private_server
from tests.servers.rabbitmq import new_vhost, own_node
from tests.servers.rabbitmq_node import RabbitNode


@dataclass(frozen=True)
class Places:
    """The servers of one run, and a folder for logs."""

    postgres: EmbeddedServer
    rabbit: RabbitNode
    processes: Processes

    @property
    def server(self) -> Server:
        return Server(self.postgres.url)

    @property
    def database_url(self) -> str:
        """Name the server as an operator would."""
        return self.postgres.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def fresh(self, service: str) -> URL:
        """Make a service's database anew and return where it is."""
        self.server.drop(service)
        self.server.prepare(service)
        return self.server.database_url(service)

    def empty(self, name: str) -> URL:
        """Make a database anew that nobody has prepared, for who prepares it differently."""
        url = self.server.url.set(database=name)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            named = psycopg.sql.Identifier(name)
            connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named))
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(named))
        return url

    def fresh_vhost(self) -> str:
        """Return the AMQP URL of a new vhost with our topology."""
        return new_vhost(self.rabbit)

    def record_commits(self) -> None:
        """Have the server remember when each transaction was committed; it is started again for that."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        self.postgres.stop()
        self.postgres.start()

    def roots(self) -> dict[str, int]:
        """Return the processes of the servers, by name."""
        return {"postgresql": self.postgres.pid, "rabbitmq": int(self.rabbit.pid_file.read_text())}

    def rabbitmq_version(self) -> str:
        return str(self.manage("overview")["rabbitmq_version"])

    def manage(self, path: str) -> Any:
        """Ask the broker's management API."""
        answer = httpx2.get(f"{self.rabbit.management_url}/api/{path}", timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def places() -> Iterator[Places]:
    """Start the servers; they and whatever ran beside them are gone at the end."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="popcandy-bench-")))
        postgres = stack.enter_context(private_server())
        node = own_node(folder / "rabbitmq")
        stack.callback(node.stop)
        logs = folder / "logs"
        logs.mkdir()
        yield Places(postgres, node, stack.enter_context(processes(logs)))


def vhost_of(amqp_url: str) -> str:
    return urlsplit(amqp_url).path.removeprefix("/")
