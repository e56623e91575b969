"""Dead letters for tests, and an inbox that tries them again as a test says."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.bus.burial import Address, Cause, Origin, Reason, bury
from shared.bus.tables import DeadLetter
from shared.bus.testing import message_of
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from shared.events.base import Event
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import hear

HANDLER = "ledger.hear"
Objection = Callable[[Session, AttendanceSettled], None]


class Broken(Exception):
    """What a handler of these tests dies of."""


def agree(_tx: Session, _event: AttendanceSettled) -> None:
    """Object to nothing."""


def make_dead(
    database: Database, event: Event | None = None, *, error: Exception | None = None, handler: str | None = HANDLER,
    origin: Origin = Origin.INBOX, reason: Reason = Reason.FAILED, **headers: str,
) -> UUID:  # fmt: skip
    """Bury one letter as the bus does, and return its id."""
    delivery = message_of(event or make_settled())
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    delivery = type(delivery)({**delivery.headers, **named}, delivery.body, "", redelivered=False, receipt=None)
    event_id = UUID(delivery.headers["ce-id"])
    with database.transaction() as tx:
        address = Address(origin, handler, event_id, delivery.headers["ce-type"])
        bury(tx, delivery, Cause.of(reason, error or Broken("it broke")), address)
        return tx.scalars(select(DeadLetter.id).where(DeadLetter.event_id == event_id)).one()


class Retrier:
    """Stands in for an inbox: it writes down what it is given, unless a test objects, and counts what it let go."""

    def __init__(self, objection: Objection = agree) -> None:
        self.objection = objection
        self.released: list[tuple[str, str]] = []

    def retry(self, tx: Session, letter: DeadLetter) -> Exception | None:
        event = AttendanceSettled.model_validate_json(letter.body)
        hear(tx, [event])
        try:
            self.objection(tx, event)
        except Broken as error:
            return error
        return None

    def release(self, tx: Session, handler_name: str, partition_key: str) -> int:
        dead = select(DeadLetter.id).where(DeadLetter.partition_key == partition_key, DeadLetter.state == "dead")
        assert tx.scalars(dead).all() == []
        self.released.append((handler_name, partition_key))
        return 1


def letter(database: Database, letter_id: UUID) -> DeadLetter:
    with database.transaction() as tx:
        return tx.get_one(DeadLetter, letter_id)


def headers_of(found: DeadLetter) -> dict[str, Any]:
    headers: dict[str, Any] = orjson.loads(found.headers)
    return headers
