"""What the roles of a service have in common: its server, its broker, the connections of what runs behind its doors."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from launch.roles import Wanted
from shared.bus.topology import tasks_vhost_of
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.service import Service
from shared.settings import Settings, required

POOL = 7  # Two relays, a consumer's two batches, the upkeep, a replayer, and one to spare.


@dataclass(frozen=True)
class Means:
    """A service, and what its roles in this process work with."""

    service: Service
    wanted: Wanted
    settings: Settings
    server: Server
    transport: RabbitTransport

    @cached_property
    def database(self) -> Database:
        """Connections of what tells and hears, one pool for both."""
        return self.server.open(self.service.name, pool_size=POOL)

    @property
    def tasks_url(self) -> str:
        """Where the service's tasks are. Raises MissingSetting."""
        return tasks_url(required(self.settings.amqp_url, "POPCANDY_AMQP_URL"), self.service.name)


def tasks_url(amqp_url: str, service: str) -> str:
    """Return the URL of a service's tasks: on the same nodes, the vhost beside that of the events."""
    return ",".join(_beside(url.strip(), service) for url in amqp_url.split(","))


def _beside(url: str, service: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"/{tasks_vhost_of(parts.path.removeprefix('/'), service)}").geturl()
