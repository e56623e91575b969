"""Marks: a handler takes each letter once, and two batches that share letters do not deadlock."""

from collections.abc import Sequence

from shared.bus.envelope import Item, open_envelope
from shared.bus.marks import mark
from shared.bus.testing import message_of
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import hearing


def items_of(facts: Sequence[AttendanceSettled]) -> list[Item]:
    messages = [message_of(fact) for fact in facts]
    return [Item(open_envelope(each), fact, each) for each, fact in zip(messages, facts, strict=True)]


def test_marks_are_set_in_the_order_of_ids_whatever_order_letters_came_in(listening: Database) -> None:
    """Else one batch waits for a mark of the other while the other waits for one of its own."""
    (handler,) = hearing().handlers
    items = items_of([make_settled() for _ in range(20)])
    ids = sorted(item.envelope.id for item in items)

    for came in (items, items[::-1]):
        with listening.transaction() as tx:
            assert list(mark(tx, handler, came)) == ids
            tx.rollback()
