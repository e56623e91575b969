"""Letters to send, and ways to receive them."""

import time
from collections.abc import Sequence
from uuid import UUID

from shared.bus.transport import Delivery, Letter, Outcome, Subscription, Transport, TransportDown
from shared.ids import new_id
from tests.waiting import until

INBOX = "ledger.inbox"
UNROUTED = "activities.unrouted"
FOREIGN = "events.unrouted"
SETTLED = "activities.attendance.settled"
CONFIRMED = Outcome.CONFIRMED


def make_letter(*, routing_key: str = SETTLED, body: bytes = b"{}") -> Letter:
    """Make a letter as the relay makes them."""
    id_ = new_id()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(id_),
        "ce-type": f"{routing_key}.v1",
        "ce-source": "/activities",
        "ce-time": "2022-05-14T09:00:00Z",
        "ce-partitionkey": "7b9c",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    return Letter(id=id_, routing_key=routing_key, headers=headers, body=body)


def make_letters(count: int) -> list[Letter]:
    return [make_letter() for _ in range(count)]


def ids(deliveries: Sequence[Delivery]) -> list[UUID]:
    return [UUID(delivery.headers["ce-id"]) for delivery in deliveries]


def receive(subscription: Subscription, count: int, *, timeout: float = 20) -> list[Delivery]:
    """Fetch until `count` letters are there; nothing is acknowledged."""
    deadline = time.monotonic() + timeout
    received: list[Delivery] = []
    while len(received) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"received {len(received)} of {count} letters within {timeout} s"
        received += subscription.fetch(timeout=left)
    return received


def drain(subscription: Subscription, count: int) -> list[Delivery]:
    """Fetch and acknowledge until `count` letters were there."""
    received: list[Delivery] = []
    while len(received) < count:
        batch = receive(subscription, 1)
        subscription.ack(batch)
        received += batch
    return received


def outcomes_of(transport: Transport, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
    """Publish once; nothing is known when the broker goes away first."""
    try:
        return transport.publish(letters)
    except TransportDown:
        return {}


def publish_all(transport: Transport, letters: Sequence[Letter]) -> None:
    """Publish until each letter is confirmed, as the relay does: what has no outcome is sent again."""
    missing = {letter.id: letter for letter in letters}

    def nothing_missing() -> bool:
        for id_, outcome in outcomes_of(transport, list(missing.values())).items():
            if outcome is CONFIRMED:
                del missing[id_]
        return not missing

    until(nothing_missing, timeout=30, missing="confirmations")
