"""A ledger that was made old holds what it would hold if it had grown old."""

from dataclasses import replace

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.ledger.donations import actions
from services.ledger.donations.rules import newest
from services.ledger.donations.tables import Donation
from shared.bus.tables import DeadLetter, Inbox
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.bench import aged
from tests.bench.aged import Ledger
from tests.bench.conftest import MONTH
from tests.bench.totals import is_exact
from tests.factories.ledger import NOW

ALL = 2 * MONTH


def facts_of(tx: Session) -> list[AttendanceSettled]:
    return [AttendanceSettled.model_validate_json(body) for body in tx.scalars(select(Inbox.body)) if body is not None]


def test_an_aged_ledger_owes_what_its_kept_facts_say(books: Ledger) -> None:
    """Each copy with a fact of its own, priced, posted, rolled up, and none twice."""
    state = books.state()
    with books.database.transaction() as tx:
        facts = facts_of(tx)

        assert (state.donations, state.entries, state.marks, state.is_balanced) == (ALL, ALL, ALL, True)
        assert is_exact(tx.connection(), facts)
        assert tx.scalars(select(DeadLetter)).all() == []


def test_copies_agree_with_their_facts(books: Ledger) -> None:
    """So what is made again from the facts comes out the same: nothing is told that is not known already."""
    with books.database.transaction() as tx:
        facts = facts_of(tx)
        donations = {donation.attendance_id: donation for donation in tx.scalars(select(Donation))}

        assert {fact.attendance_id for fact in facts} == donations.keys()
        for service in newest(map(actions.service_of, facts)):
            for name in ("partner_id", "listing_id", "shift_id", "volunteer_id", "started_at", "service_on"):
                assert getattr(donations[service.attendance_id], name) == getattr(service, name), name
        actions.accrue(tx, facts, now=NOW)  # Which writes nothing, so that others may go on reading this ledger.
        assert len(tx.scalars(select(Donation)).all()) == ALL


def test_the_months_follow_each_other(books: Ledger) -> None:
    """Partners stay, people and shifts are others."""
    with books.database.transaction() as tx:
        donations = tx.scalars(select(Donation).order_by(Donation.id)).all()
    first, second = donations[:MONTH], donations[MONTH:]

    assert max(one.service_on for one in first) < min(one.service_on for one in second)
    assert {one.partner_id for one in first} == {one.partner_id for one in second}
    for name in ("volunteer_id", "shift_id", "listing_id"):
        assert not {getattr(one, name) for one in first} & {getattr(one, name) for one in second}, name


def test_what_a_ledger_has_taken_is_noticed(open_books: Ledger) -> None:
    """A fact too few, a fact that is worth something else, and a roll-up that is wrong are each seen."""
    books = open_books
    before, told = books.state(), books.next_month(MONTH, month=2)
    books.take(aged.deliveries(told[1:]))
    worthless = replace(told[1], fact=told[1].fact.model_copy(update={"matchable_minutes": 0}))

    assert books.state().has_taken(told[1:], since=before)
    assert not books.state().has_taken(told, since=before)
    assert not books.state().has_taken([worthless, *told[2:]], since=before)

    with books.database.transaction() as tx:
        tx.execute(text("UPDATE balance SET fen = fen + 1 WHERE account = '5110'"))
    assert not books.state().has_taken(told[1:], since=before)


def test_totals_are_wrong_if_any_attendance_is(books: Ledger) -> None:
    """However well the sums agree."""
    with books.database.transaction() as tx:
        facts = facts_of(tx)
        connection = tx.connection()

        assert is_exact(connection, facts)
        assert not is_exact(connection, facts[1:])
        assert not is_exact(connection, [facts[0].model_copy(update={"attendance_id": new_id()}), *facts[1:]])
        assert not is_exact(connection, [facts[0].model_copy(update={"partner_id": new_id()}), *facts[1:]])
