"""Facts on their way out of a service: told, waiting in its outbox, relayed."""

from uuid import UUID

from shared import bus
from shared.bus.relay import Relay
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.running import Owner
from tests.waiting import until


def tell(database: Database, count: int = 1) -> list[AttendanceSettled]:
    facts = [make_settled() for _ in range(count)]
    with database.transaction() as tx:
        bus.emit_all(tx, facts)
    return facts


def waiting(told: Owner) -> list[UUID]:
    """Return the ids in the outbox, in order."""
    return [UUID(str(event_id)) for (event_id,) in told.execute("SELECT event_id FROM outbox ORDER BY position")]


def relay(database: Database, transport: Transport) -> Relay:
    return Relay(database, transport, service="activities")


def until_empty(told: Owner) -> None:
    until(lambda: told.count("outbox") == 0, timeout=20, missing="an empty outbox")
