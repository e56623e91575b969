"""Reading what a transaction tells."""

from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Fact
from shared.bus.tables import Outbox
from shared.events.registry import contracts
from tests.factories.activities import PROGRAMME


def emitted(tx: Session, programme_id: UUID = PROGRAMME) -> list[Fact]:
    """Read the outbox back into events, in order."""
    rows = tx.execute(
        select(Outbox.type, Outbox.body)
        .where(Outbox.programme_id == programme_id, Outbox.lane == "event")
        .order_by(Outbox.position)
    )
    models = contracts()
    facts = [models[kind].model_validate(orjson.loads(body)) for kind, body in rows]
    return [fact for fact in facts if isinstance(fact, Fact)]
