"""CloudEvents 1.0 in binary mode: attributes as `ce-*` headers, the data as the body.

The same headers travel on both transports. Source: CloudEvents 1.0, its RabbitMQ protocol binding, and its extensions
"partitioning" and "distributed tracing".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.bus.transport import Delivery, Letter
from shared.events.base import Event, routing_key


class BrokenEnvelope(Exception):
    """A delivery lacks what every event of ours carries."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery that can be read as far as its type and id."""

    id: UUID
    type: str
    traceparent: str | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """A letter that was read whole."""

    envelope: Envelope
    event: Event
    delivery: Delivery

    @property
    def partition_key(self) -> str:
        """Say which stream of facts it belongs to; the event knows, whatever the header says."""
        return self.event.partition_key


def letter_of(
    *, event_id: UUID, event_type: str, service: str, emitted_at: datetime, headers: Mapping[str, str], body: str
) -> Letter:
    """Put one outbox row into a letter; `headers` are the extension attributes."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": str(event_id),
        "ce-type": event_type,
        "ce-source": f"/popcandy/{service}",
        "ce-time": emitted_at.isoformat().replace("+00:00", "Z"),
        **headers,
    }
    return Letter(event_id, routing_key(event_type), attributes, body.encode())


def open_envelope(delivery: Delivery) -> Envelope:
    """Read a delivery's attributes. Raises BrokenEnvelope."""
    headers = delivery.headers
    if headers.get("ce-specversion") != "1.0":
        raise BrokenEnvelope(f"ce-specversion is {headers.get('ce-specversion')!r}, not '1.0'")
    if not headers.get("ce-type"):
        raise BrokenEnvelope("there is no ce-type")
    try:
        event_id = UUID(headers.get("ce-id", ""))
    except ValueError as error:
        raise BrokenEnvelope(f"ce-id is {headers.get('ce-id')!r}, not a UUID") from error
    return Envelope(event_id, headers["ce-type"], headers.get("ce-traceparent"), headers, delivery.body)
