"""What exchanges and queues there are, read from the one file that both transports load."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"
EXCHANGE = "events"
UNROUTED = "events.unrouted"


def dead_queue_of(service: str) -> str:
    """Name the queue of letters that the broker itself gave up on."""
    return f"{service}.inbox.dead"


@dataclass(frozen=True)
class Topology:
    """Which routing keys of the exchange `events` reach which queue."""

    bindings: dict[str, frozenset[str]]

    @classmethod
    def load(cls, path: Path = DEFINITIONS) -> "Topology":
        """Read RabbitMQ's definitions format."""
        return cls.of(orjson.loads(path.read_bytes()))

    @classmethod
    def of(cls, definitions: dict[str, Any]) -> "Topology":
        """Collect the bindings of the exchange `events`."""
        bindings: dict[str, set[str]] = {}
        for binding in definitions["bindings"]:
            if binding["source"] == EXCHANGE:
                bindings.setdefault(binding["destination"], set()).add(binding["routing_key"])
        return cls({queue: frozenset(keys) for queue, keys in bindings.items()})
