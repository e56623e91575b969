"""`emit`: what leaves a service does so with the transaction that made it true, or not at all."""

import pytest
from sqlalchemy.orm import Session

from shared import bus, telemetry
from shared.bus.testing import emitted
from shared.database.sessions import Database
from shared.events.base import Event
from tests.factories.ledger import make_revised, make_settled, make_voided
from tests.shared.bus.running import Owner, counted


class ChangedMind(Exception):
    """The business transaction fails after it has emitted."""


def emit_and_fail(database: Database) -> None:
    with database.transaction() as tx:
        bus.emit(tx, make_settled(), make_settled())
        raise ChangedMind


def test_a_rolled_back_change_tells_nothing(telling: Database, told: Owner) -> None:
    """What did not happen is not told."""
    with pytest.raises(ChangedMind):
        emit_and_fail(telling)

    assert told.count("outbox") == 0


def test_facts_wait_in_the_order_in_which_they_were_told(telling: Database) -> None:
    """Over several calls of one transaction, over all types, and with their own values."""
    first = make_settled()
    facts: list[Event] = [first, make_revised(first, minutes=60), make_settled(), make_voided(first, version=3)]
    with telling.transaction() as tx:
        bus.emit(tx, facts[0])
        bus.emit_all(tx, facts[1:3])
        bus.emit(tx, facts[3])

    with telling.transaction() as tx:
        assert emitted(tx) == facts


def test_twelve_thousand_facts_take_three_statements(telling: Database) -> None:
    """An import of a season is not told row by row."""
    facts = [make_settled() for _ in range(12_000)]

    with counted(telling.engine) as seen, telling.transaction() as tx:
        bus.emit_all(tx, facts)

    assert len([statement for statement in seen if "INSERT INTO outbox" in statement]) == 3
    with telling.transaction() as tx:
        assert emitted(tx) == facts


def test_nothing_to_tell_is_no_statement(telling: Database) -> None:
    """An action may emit what came out of a decision, even if that is nothing."""
    with counted(telling.engine) as seen, telling.transaction() as tx:
        bus.emit_all(tx, [])

    assert [statement for statement in seen if statement != "BEGIN"] == []


def test_a_fact_is_told_under_the_bound_trace(telling: Database, told: Owner) -> None:
    """Who reads a log finds what followed from what."""
    with telemetry.trace(None) as trace_id, telling.transaction() as tx:
        bus.emit(tx, make_settled())

    ((traceparent,),) = told.execute("SELECT traceparent FROM outbox")
    assert str(traceparent).split("-")[1] == trace_id


def test_the_envelope_is_the_facts_own(telling: Database, told: Owner) -> None:
    """Partition, programme and type are read off the fact, never given apart."""
    fact = make_settled()

    def tell(tx: Session) -> None:
        bus.emit(tx, fact)

    with telling.transaction() as tx:
        tell(tx)

    assert told.execute("SELECT type, programme_id, partition_key FROM outbox") == [
        (fact.type, fact.programme_id, str(fact.attendance_id))
    ]
