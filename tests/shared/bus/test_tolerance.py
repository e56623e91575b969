"""Readers between versions: what is new does no harm, what a reader does not understand is kept and blocks nobody."""

from typing import Any

import orjson
import pytest

from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import heard, hearing
from tests.shared.bus.running import Owner

NEWER: dict[str, dict[str, Any]] = {
    "a field more": {"weather": "rain"},
    "many fields more": {f"field_{number}": [number] for number in range(100)},
    "a structure more": {"place": {"partner_id": None, "parts": [{"evidence": "guessed"}]}},
    "a field that is called like an attribute": {"type": "activities.attendance.settled.v9", "key": "shift_id"},
}
OTHER: dict[str, dict[str, Any]] = {
    "an unknown value": {"evidence": "guessed"},
    "no value": {"evidence": None},
    "a value of another kind": {"evidence": 1},
    "a value in other letters": {"evidence": "SCANNED"},
    "another type": {"version": "first"},
    "what no longer fits a limit": {"version": 0},
}


def told_with(fact: AttendanceSettled, fields: dict[str, Any]) -> Delivery:
    """Tell a fact as a publisher of another version would."""
    message = message_of(fact)
    body = orjson.dumps(orjson.loads(message.body) | fields)
    return Delivery(message.headers, body, message.routing_key, redelivered=False, receipt=None)


@pytest.mark.parametrize("what", NEWER)
def test_a_reader_passes_over_what_it_does_not_know(listening: Database, hearer: Owner, what: str) -> None:
    """A publisher may be deployed first: what it adds changes nothing for who does not look for it."""
    fact = make_settled()

    Inbox(listening, hearing()).settle([told_with(fact, NEWER[what])])

    with listening.transaction() as tx:
        assert heard(tx) == [fact.attendance_id]
    assert hearer.count("dead_letter") == 0
    assert AttendanceSettled.model_validate_json(told_with(fact, NEWER[what]).body) == fact


@pytest.mark.parametrize("what", OTHER)
def test_a_value_that_a_reader_does_not_know_is_a_dead_letter(listening: Database, hearer: Owner, what: str) -> None:
    """It is not guessed at and does not end the consumer: the fact is kept whole, its neighbours are heard."""
    first, last = make_settled(), make_settled()
    strange = told_with(make_settled(), OTHER[what])

    Inbox(listening, hearing()).settle([message_of(first), strange, message_of(last)])

    with listening.transaction() as tx:
        assert heard(tx) == [first.attendance_id, last.attendance_id]
    ((reason, body, event_type, error),) = hearer.execute("SELECT reason, body, type, error FROM dead_letter")
    assert (reason, body, event_type) == ("broken_body", strange.body, AttendanceSettled.type)
    assert next(iter(OTHER[what])) in str(error)  # Whoever looks at it reads which field it was.
