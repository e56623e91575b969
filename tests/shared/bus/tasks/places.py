"""dramatiq's brokers of both kinds, each with what publishes into it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx2
import pika  # type: ignore[import-untyped]  # pika ships no py.typed.
from pika.exceptions import AMQPError, NackError, UnroutableError  # type: ignore[import-untyped]  # As above.

from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.tasks.workers import LocalBroker, LocalTasks, WakeUpBroker
from shared.bus.transport import Letter, Outcome, TransportDown
from tests.servers.rabbitmq import Broker, own_vhost
from tests.shared.bus.tasks.pumping import Publisher

SERVICE = "probe"


@dataclass(frozen=True)
class Place:
    """Somewhere for wake-ups: `connect` makes a broker for workers, `publisher` is what the relay would use."""

    connect: Callable[[], WakeUpBroker]
    publisher: Publisher


class BlockingTasks:
    """Publishes wake-ups to queues by name: one that does not exist refuses."""

    def __init__(self, url: str) -> None:
        self._url = url

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        try:
            with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                return {letter.id: _sent(channel, letter) for letter in letters}
        except AMQPError as error:
            raise TransportDown(repr(error)) from error


def local_place() -> Place:
    """Make a broker in memory, which all its workers share."""
    broker = LocalBroker()
    return Place(lambda: broker, LocalTasks(broker))


def rabbit_place(url: str) -> Place:
    return Place(lambda: QuorumBroker(url), BlockingTasks(url))


@contextmanager
def tasks_vhost(broker: Broker) -> Iterator[str]:
    """Yield the URL of the vhost of a service's tasks; it is deleted at the end."""
    with own_vhost(broker) as events:
        vhost = f"{urlsplit(events).path.removeprefix('/')}-tasks-{SERVICE}"
        with httpx2.Client(base_url=broker.management_url, timeout=60, trust_env=False) as client:
            make_vhost(client, vhost)
            yield urlsplit(events)._replace(path=f"/{vhost}").geturl()
            client.delete(f"/api/vhosts/{quote(vhost)}").raise_for_status()


def make_vhost(client: httpx2.Client, vhost: str) -> None:
    """Make a vhost in which the client's user may do all."""
    client.put(f"/api/vhosts/{quote(vhost)}", json={}).raise_for_status()
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    user = httpx2.URL(client.base_url).username
    client.put(f"/api/permissions/{quote(vhost)}/{user}", json=rights).raise_for_status()


def queues_of(broker: Broker, url: str) -> dict[str, dict[str, Any]]:
    """Ask the management API for the queues of a URL's vhost."""
    vhost = quote(urlsplit(url).path.removeprefix("/"), safe="")
    answer = httpx2.get(f"{broker.management_url}/api/queues/{vhost}", timeout=30, trust_env=False)
    return {queue["name"]: queue for queue in answer.raise_for_status().json()}


def _sent(channel: Any, letter: Letter) -> Outcome:
    properties = pika.BasicProperties(delivery_mode=2, message_id=str(letter.id), headers=dict(letter.headers))
    try:
        channel.basic_publish("", letter.routing_key, letter.body, properties, mandatory=True)
    except (UnroutableError, NackError):
        return Outcome.REFUSED
    return Outcome.CONFIRMED
