"""What operators see of a service's events: what waits, how much of it, and what died."""

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import func, select

from shared.bus.dead_letters.post_mortem import Wanted, count_letters
from shared.bus.tables import Outbox, ParkedLetter
from shared.bus.topology import dead_queue_of, unrouted_queue_of
from shared.bus.transport import QueueStats, Transport
from shared.service import Service
from shared.web.dead_letters import Operator, add_dead_letters
from shared.web.doors import Tx

NOTHING = QueueStats(ready=0, unacked=0, consumers=0)


class Flow(BaseModel):
    """How a service's events stand: its own that wait to leave, and others' that wait to be handled."""

    service: str
    outbox: int
    queue_ready: int
    queue_unacked: int | None
    consumers: int
    dead_letters: int
    parked: int  # Waiting behind a dead letter of their key.
    dead_at_broker: int  # Given up by the broker itself, not yet looked at by the service.
    unrouted: int  # Told by the service and heard by nobody, not yet looked at by it.


def operations_of(service: Service) -> APIRouter:
    """Return the routes with which operators watch one service."""
    router = APIRouter(tags=["operations"])
    add_dead_letters(router, service)

    @router.get("/flow", operation_id="watch_flow")
    def watch_flow(request: Request, caller: Operator, tx: Tx) -> Flow:
        """Count what waits and what died; queues and outboxes belong to no one programme."""
        transport: Transport = request.app.state.transport
        own = transport.stats(service.subscriptions.queue) if service.handlers else NOTHING
        return Flow(
            service=service.name,
            outbox=tx.scalar(select(func.count()).select_from(Outbox)) or 0,
            queue_ready=own.ready,
            queue_unacked=own.unacked,
            consumers=own.consumers,
            dead_letters=count_letters(tx, Wanted(), programme_id=caller.programme_id),
            parked=tx.scalar(select(func.count()).select_from(ParkedLetter)) or 0,
            dead_at_broker=transport.stats(dead_queue_of(service.name)).ready,
            unrouted=transport.stats(unrouted_queue_of(service.name)).ready,
        )

    return router
