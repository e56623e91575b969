"""A letter that ends the process is found, and takes nobody along (PITFALLS R1)."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import Settled, heard, hearing, hearing_unless
from tests.shared.bus.running import Owner


class Killed(BaseException):
    """Stands for the end of the process: nothing in the inbox may catch it."""


def killing(*killers: AttendanceSettled) -> Subscriptions:
    """Make a handler that ends its process over some facts."""

    def objection(_tx: Session, events: Settled) -> None:
        if any(event in killers for event in events):
            raise Killed

    return hearing_unless(objection)


def live(database: Database, subscriptions: Subscriptions, letters: Sequence[Delivery]) -> bool:
    """Be a new process that is handed letters again; False if it ended over one of them."""
    inbox = Inbox(database, subscriptions)
    try:
        for letter in letters:
            inbox.settle_suspect(letter)
        inbox.clear()
    except Killed:
        return False
    return True


def test_the_killer_is_buried_at_the_third_time_and_the_others_go_on(listening: Database, hearer: Owner) -> None:
    """F11: once in company and twice alone; the innocent around it are heard, and none of them is dead."""
    facts = [make_settled() for _ in range(4)]
    letters = [message_of(fact) for fact in facts]
    subscriptions = killing(facts[2])
    with pytest.raises(Killed):
        Inbox(listening, subscriptions).settle(letters)

    lives = [live(listening, subscriptions, letters) for _ in range(3)]

    assert lives == [False, False, True]
    with listening.transaction() as tx:
        assert heard(tx) == [fact.attendance_id for fact in facts if fact is not facts[2]]
    assert hearer.execute("SELECT reason, event_id::text, attempts FROM dead_letter") == [
        ("killed", letters[2].headers["ce-id"], 3)
    ]
    assert hearer.count("suspect") == 0


def test_an_innocent_that_was_handed_out_often_is_not_buried(listening: Database, hearer: Owner) -> None:
    """Its neighbour ended three processes; it is suspected only while it is in hand itself."""
    before, killer, behind = make_settled(), make_settled(), make_settled()
    letters = [message_of(fact) for fact in (before, killer, behind)]
    subscriptions = killing(killer)

    while not live(listening, subscriptions, letters):
        pass

    with listening.transaction() as tx:
        assert heard(tx) == [before.attendance_id, behind.attendance_id]
    assert hearer.execute("SELECT reason FROM dead_letter") == [("killed",)]


def test_what_is_settled_is_suspected_no_more_when_the_next_ends_the_process(
    listening: Database, hearer: Owner
) -> None:
    """A letter that was handed out twice may not come again, and nobody else would take the suspicion from it."""
    fact, killer = make_settled(), make_settled()
    settled, last = message_of(fact), message_of(killer)

    assert not live(listening, killing(killer), [settled, last])

    assert hearer.execute("SELECT event_id::text, tries FROM suspect") == [(last.headers["ce-id"], 1)]


def test_a_database_that_is_away_kills_nobody(listening: Database, hearer: Owner) -> None:
    """Ten tries within one process are one try of the letter."""
    fact = make_settled()
    letter = message_of(fact)
    inbox = Inbox(listening, hearing())
    hearer.execute("INSERT INTO suspect (event_id, tries) VALUES (:id, 1)", id=letter.headers["ce-id"])

    for _ in range(10):
        inbox.settle_suspect(letter)
    assert hearer.execute("SELECT tries FROM suspect") == [(2,)]
    inbox.clear()

    assert (hearer.count("suspect"), hearer.count("dead_letter")) == (0, 0)


def test_a_killer_that_one_handler_has_settled_is_dead_for_the_other_only(listening: Database, hearer: Owner) -> None:
    """A mark is a handler's own."""
    fact = make_settled()
    letter = message_of(fact)
    both = Subscriptions("ledger", [*hearing().handlers, *killing(fact).handlers])

    lives = [live(listening, both, [letter]) for _ in range(3)]

    assert lives == [False, False, True]
    assert hearer.execute("SELECT handler FROM dead_letter") == [("shared.hear_unless",)]
    with listening.transaction() as tx:
        assert heard(tx) == [fact.attendance_id]


def test_garbage_is_no_suspect(listening: Database, hearer: Owner) -> None:
    """No handler sees it, so it ends nobody; it is kept as what it is."""
    garbage = Delivery({"ce-id": "1"}, b"?", "", redelivered=True, receipt=None)

    assert live(listening, hearing(), [garbage])

    assert hearer.execute("SELECT reason FROM dead_letter") == [("broken_envelope",)]
    assert hearer.count("suspect") == 0


def test_a_try_that_was_given_up_is_taken_back(listening: Database, hearer: Owner) -> None:
    """A lock that lasts longer than three consumers' patience blames no letter."""
    letter = message_of(make_settled())
    busy = text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '55P03'; END $$")

    def objection(tx: Session, _events: Settled) -> None:
        tx.execute(busy)

    for _ in range(4):
        inbox = Inbox(listening, hearing_unless(objection))
        with pytest.raises(OperationalError):
            inbox.settle_suspect(letter)
        inbox.clear()

    assert hearer.execute("SELECT tries FROM suspect") == [(0,)]
    assert live(listening, hearing(), [letter])
    assert (hearer.count("dead_letter"), hearer.count("heard"), hearer.count("suspect")) == (0, 1, 0)
