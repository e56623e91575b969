"""What operators see of a service's events: what waits, and what died."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select

from shared.auth.callers import Caller
from shared.bus.dead_letters import list_dead
from shared.bus.tables import DeadLetter, Outbox
from shared.bus.transport import Transport
from shared.service import Service
from shared.web.doors import Tx, may

Operator = Annotated[Caller, Depends(may("events.operate"))]


class Flow(BaseModel):
    """How a service's events stand: its own that wait to leave, and others' that wait to be handled."""

    service: str
    outbox: int
    queue_ready: int
    queue_unacked: int | None
    consumers: int
    dead_letters: int


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
    def watch_flow(request: Request, _caller: Operator, tx: Tx) -> Flow:
        """Count what waits and what died."""
        transport: Transport = request.app.state.transport
        stats = transport.stats(service.subscriptions.queue) if service.handlers else None
        return Flow(
            service=service.name,
            outbox=tx.scalar(select(func.count()).select_from(Outbox)) or 0,
            queue_ready=stats.ready if stats else 0,
            queue_unacked=stats.unacked if stats else 0,
            consumers=stats.consumers if stats else 0,
            dead_letters=tx.scalar(select(func.count()).select_from(DeadLetter)) or 0,
        )

    @router.get("/dead-letters", operation_id="list_dead_letters")
    def list_dead_letters(_caller: Operator, tx: Tx, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> DeadLetters:
        """List the newest dead letters."""
        return DeadLetters(items=[Dead.model_validate(letter) for letter in list_dead(tx, limit=limit)])

    return router
