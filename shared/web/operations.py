"""What operators see of a service's events: what waits, how much of it, and what died."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import func, select

from shared.bus.dead_letters.post_mortem import Wanted, count_letters
from shared.bus.tables import Outbox, ParkedLetter
from shared.bus.topology import dead_queue_of, unrouted_queue_of
from shared.bus.transport import QueueStats, TopologyMissing, Transport, TransportDown
from shared.service import Service
from shared.web.dead_letters import Operator, add_dead_letters
from shared.web.doors import Tx
from shared.web.fields import Count, Shown
from shared.web.routes import Router

NOTHING = QueueStats(ready=0, unacked=0, consumers=0)


class Flow(BaseModel):
    """How a service's events stand: its own that wait to leave, and others' that wait to be handled.

    What only the broker knows is null while it does not answer; `broker` then says why.
    """

    service: Shown
    outbox: Count
    later: Count  # In the outbox too, and not yet due.
    dead_letters: Count
    parked: Count  # Waiting behind a dead letter of their key.
    broker: Shown | None = None
    queue_ready: Count | None = None
    queue_unacked: Count | None = None
    consumers: Count | None = None
    dead_at_broker: Count | None = None  # Given up by the broker itself, not yet looked at by the service.
    unrouted: Count | None = None  # Told by the service and heard by nobody, not yet looked at by it.


def operations_of(service: Service) -> Router:
    """Return the routes with which operators watch one service."""
    router = Router(tags=["operations"])
    add_dead_letters(router, service)

    @router.get("/flow", operation_id="watch_flow")
    def watch_flow(request: Request, caller: Operator, tx: Tx) -> Flow:
        """Count what waits and what died; queues and outboxes belong to no one programme."""
        queues = _queues_of(service, request.app.state.transport)  # First: no connection is held while it answers.
        later = select(func.count()).select_from(Outbox).where(Outbox.due_at.is_not(None))
        ready = select(func.count()).select_from(Outbox).where(Outbox.due_at.is_(None))
        return Flow(
            service=service.name,
            outbox=tx.scalar(ready) or 0,
            later=tx.scalar(later) or 0,
            dead_letters=count_letters(tx, Wanted(), programme_id=caller.programme_id),
            parked=tx.scalar(select(func.count()).select_from(ParkedLetter)) or 0,
            **queues,
        )

    return router


def _queues_of(service: Service, transport: Transport) -> dict[str, Any]:
    """Ask the broker how a service's queues stand, or say why it does not answer."""
    try:
        own = transport.stats(service.subscriptions.queue) if service.handlers else NOTHING
        return {
            "queue_ready": own.ready,
            "queue_unacked": own.unacked,
            "consumers": own.consumers,
            "dead_at_broker": transport.stats(dead_queue_of(service.name)).ready,
            "unrouted": transport.stats(unrouted_queue_of(service.name)).ready,
        }
    except (TransportDown, TopologyMissing) as error:
        return {"broker": type(error).__name__}
