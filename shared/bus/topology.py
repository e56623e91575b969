"""What exchanges and queues there are, read from the one file that both transports load."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"
BUS = "bus"
EXCHANGE = "events"
UNROUTED_EXCHANGE = "events.unrouted"
FOREIGN_QUEUE = "events.unrouted"  # Unheard letters that name no service we know; a service's own user cannot send any.


def dead_queue_of(service: str) -> str:
    """Name the queue of letters that the broker itself gave up on."""
    return f"{service}.inbox.dead"


def unrouted_queue_of(service: str) -> str:
    """Name the queue of letters that the service told and nobody is bound to."""
    return f"{service}.unrouted"


def tasks_vhost_of(vhost: str, service: str) -> str:
    """Name the vhost of a service's tasks beside the vhost of its events."""
    return beside(vhost, f"tasks-{service}")


def user_of(vhost: str, service: str) -> str:
    """Name the user that a service is in the vhost of its events."""
    return beside(vhost, f"popcandy-{service}")


def beside(vhost: str, name: str) -> str:
    """Name what belongs to `vhost` and has `name` where the vhost is `bus`."""
    return name if vhost == BUS else f"{vhost}-{name}"


@dataclass(frozen=True)
class Topology:
    """Which routing keys of the exchange `events` reach which queue, and where those go that nobody hears."""

    bindings: dict[str, frozenset[str]]
    unrouted: dict[str, str] = field(default_factory=dict)  # Queue by topic pattern, as `ledger.#`.

    @classmethod
    def load(cls, path: Path = DEFINITIONS) -> "Topology":
        """Read RabbitMQ's definitions format."""
        return cls.of(orjson.loads(path.read_bytes()))

    @classmethod
    def of(cls, definitions: dict[str, Any]) -> "Topology":
        """Collect the bindings of the exchange `events` and of its alternate."""
        bindings: dict[str, set[str]] = {}
        unrouted: dict[str, str] = {}
        for binding in definitions["bindings"]:
            if binding["source"] == EXCHANGE:
                bindings.setdefault(binding["destination"], set()).add(binding["routing_key"])
            if binding["source"] == UNROUTED_EXCHANGE:
                unrouted[binding["routing_key"]] = binding["destination"]
        return cls({queue: frozenset(keys) for queue, keys in bindings.items()}, unrouted)

    @property
    def heard(self) -> frozenset[str]:
        """The routing keys that somebody is bound to."""
        return frozenset[str]().union(*self.bindings.values())

    @staticmethod
    def queues_of(service: str) -> tuple[str, str, str]:
        """Name the queues that a service needs, whether or not it hears anything: inbox, dead, unrouted."""
        return f"{service}.inbox", dead_queue_of(service), unrouted_queue_of(service)
