"""What tests of handlers and actions need of the bus: a fact delivered without a broker, the facts that were told."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared import clock, telemetry
from shared.bus import inbox
from shared.bus.envelope import Item, letter_of, open_envelope
from shared.bus.handlers import Handler
from shared.bus.tables import Outbox
from shared.bus.transport import Delivery
from shared.events.base import Event
from shared.events.registry import contracts
from shared.ids import new_id


def message_of(event: Event) -> Delivery:
    """Put a fact into a message as it arrives; each call tells it under a new id, as a publisher may."""
    letter = letter_of(
        event_id=new_id(),
        event_type=event.type,
        service=event.type.split(".", 1)[0],
        emitted_at=clock.now(),
        headers={
            "ce-partitionkey": event.partition_key,
            "ce-programmeid": str(event.programme_id),
            "ce-traceparent": telemetry.traceparent(),
        },
        body=event.model_dump_json(),
    )
    return Delivery(letter.headers, letter.body, letter.routing_key, redelivered=False, receipt=None)


def deliver(tx: Session, handler: Handler[Any], *messages: Delivery) -> int:
    """Hand messages to a handler in the caller's transaction, as one batch; return how many were no repeats.

    What the handler raises is raised here; in service it would be bisected and buried.
    """
    models = {event.type: event for event in handler.events}
    items = []
    for message in messages:
        envelope = open_envelope(message)
        items.append(Item(envelope, models[envelope.type].model_validate_json(envelope.body), message))
    return inbox.deliver(tx, handler, items)


def emitted(tx: Session) -> list[Event]:
    """Return the facts that wait in the outbox, in the order in which they were told."""
    models = contracts()
    rows = tx.execute(select(Outbox.type, Outbox.body).order_by(Outbox.position))
    return [models[event_type].model_validate_json(body) for event_type, body in rows]
