"""Reading what a transaction tells."""

from typing import TypeVar
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Fact
from shared.bus.tables import Outbox
from shared.events.base import Event
from shared.events.registry import contracts
from tests.factories.activities import PROGRAMME

E = TypeVar("E", bound=Event)


def emitted(tx: Session, programme_id: UUID = PROGRAMME) -> list[Fact]:
    """Read what was told of attendance back into events, in order."""
    return [fact for fact in told(tx, programme_id) if isinstance(fact, Fact)]


def emitted_of(tx: Session, kind: type[E], programme_id: UUID = PROGRAMME) -> list[E]:
    """Read what was told of one kind back into events, in order."""
    return [fact for fact in told(tx, programme_id) if isinstance(fact, kind)]


def told(tx: Session, programme_id: UUID = PROGRAMME) -> list[Event]:
    """Read the outbox back into events, in order."""
    rows = tx.execute(
        select(Outbox.type, Outbox.body)
        .where(Outbox.programme_id == programme_id, Outbox.lane == "event")
        .order_by(Outbox.position)
    )
    models = contracts()
    return [models[kind].model_validate(orjson.loads(body)) for kind, body in rows]
