"""Reading what a transaction tells of proposals."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.bus.tables import Outbox
from shared.events.activities_proposals import Proposed
from shared.events.registry import contracts
from tests.factories.activities import PROGRAMME


def emitted(tx: Session, programme_id: UUID = PROGRAMME) -> list[Proposed]:
    """Read the outbox back into events, in order."""
    rows = select(Outbox.type, Outbox.body).where(Outbox.programme_id == programme_id, Outbox.lane == "event")
    models = contracts()
    facts = [models[kind].model_validate_json(body) for kind, body in tx.execute(rows.order_by(Outbox.position))]
    return [fact for fact in facts if isinstance(fact, Proposed)]
