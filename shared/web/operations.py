"""What operators see of a service's events: what waits, and what died."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select

from shared.auth.callers import Caller
from shared.bus.dead_letters import count_dead, list_dead
from shared.bus.tables import Outbox
from shared.bus.topology import dead_queue_of, unrouted_queue_of
from shared.bus.transport import QueueStats, Transport
from shared.service import Service
from shared.web.doors import Tx, may

NOTHING = QueueStats(ready=0, unacked=0, consumers=0)
Operator = Annotated[Caller, Depends(may("events.operate"))]


class Flow(BaseModel):
    """How a service's events stand: its own that wait to leave, and others' that wait to be handled."""

    service: str
    outbox: int
    queue_ready: int
    queue_unacked: int | None
    consumers: int
    dead_letters: int
    dead_at_broker: int  # Given up by the broker itself, not yet looked at by the service.
    unrouted: int  # Told by the service and heard by nobody, not yet looked at by it.


class Dead(BaseModel):
    """A letter that could not be handled, without its body."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    handler: str | None
    event_id: UUID | None
    type: str | None
    reason: str
    error: str
    attempts: int
    died_at: AwareDatetime


class DeadLetters(BaseModel):
    """The newest dead letters."""

    items: list[Dead]


def operations_of(service: Service) -> APIRouter:
    """Return the routes with which operators watch one service."""
    router = APIRouter(tags=["operations"])

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
            dead_letters=count_dead(tx, programme_id=caller.programme_id),
            dead_at_broker=transport.stats(dead_queue_of(service.name)).ready,
            unrouted=transport.stats(unrouted_queue_of(service.name)).ready,
        )

    @router.get("/dead-letters", operation_id="list_dead_letters")
    def list_dead_letters(caller: Operator, tx: Tx, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> DeadLetters:
        """List the newest dead letters of the programme, and those that do not say whose they are."""
        letters = list_dead(tx, programme_id=caller.programme_id, limit=limit)
        return DeadLetters(items=[Dead.model_validate(letter) for letter in letters])

    return router
