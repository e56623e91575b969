"""Giving dead letters up: for good, with a reason, and what waited behind them goes on."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from shared.bus.closings import DeadNoMore, NothingChosen, ReasonMissing, UnknownLetters
from shared.bus.discards import Discarded, discard
from shared.bus.post_mortem import Wanted
from shared.database.sessions import Database
from shared.errors import Refusal
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.bus.dying import HANDLER, Retrier, letter, make_dead
from tests.shared.bus.running import Owner

PERSON, ELSEWHERE = uuid4(), uuid4()
PARK = """
    INSERT INTO parked_letter (handler, partition_key, event_id, headers, body)
    SELECT handler, partition_key, gen_random_uuid(), headers, body FROM dead_letter WHERE id = '{id}'
"""


def give_up(tx: Session, chosen: Wanted, retrier: Retrier, *, why: str = "a test's", mine: bool = True) -> Discarded:
    return discard(
        tx, chosen, programme_id=PROGRAMME if mine else ELSEWHERE, discarded_by=PERSON, why=why,
        release=retrier.release,
    )  # fmt: skip


def test_a_discarded_letter_stays_with_who_and_why(listening: Database) -> None:
    """It is closed, not deleted: somebody will ask."""
    dead, other = make_dead(listening), make_dead(listening)
    with listening.transaction() as tx:
        assert give_up(tx, Wanted(ids=(dead,)), Retrier()) == Discarded(letters=1, released=0)

    found = letter(listening, dead)
    assert (found.state, found.closed_by, found.closed_why) == ("discarded", PERSON, "a test's")
    assert letter(listening, other).state == "dead"


def test_what_waited_behind_it_goes_on(listening: Database, hearer: Owner) -> None:
    """In the same transaction, once a key, when the letter before it is dead no more."""
    fact = make_settled()
    dead = [make_dead(listening, fact), make_dead(listening)]
    for _ in range(2):
        hearer.execute(PARK.format(id=dead[0]))
    retrier = Retrier()
    with listening.transaction() as tx:
        found = give_up(tx, Wanted(cause=letter(listening, dead[0]).cause), retrier)

    assert found == Discarded(letters=2, released=1)
    assert retrier.released == [(HANDLER, str(fact.attendance_id))]


@pytest.mark.parametrize(
    ("chosen", "why", "refusal"),
    [
        (Wanted(), "  ", ReasonMissing),
        (Wanted(cause="nothing"), "why", NothingChosen),
        (Wanted(ids=(uuid4(),)), "why", UnknownLetters),
    ],
)
def test_what_is_refused_changes_nothing(listening: Database, chosen: Wanted, why: str, refusal: type[Refusal]) -> None:
    """No reason, nothing chosen, an id that nobody knows."""
    dead = make_dead(listening)

    with pytest.raises(refusal), listening.transaction() as tx:
        give_up(tx, chosen, Retrier(), why=why)

    assert letter(listening, dead).state == "dead"


def test_neither_a_closed_letter_nor_another_programmes_can_be_given_up(listening: Database) -> None:
    """What is closed says already who did it and why."""
    dead: UUID = make_dead(listening)
    with pytest.raises(UnknownLetters), listening.transaction() as tx:
        give_up(tx, Wanted(ids=(dead,)), Retrier(), mine=False)
    with listening.transaction() as tx:
        give_up(tx, Wanted(ids=(dead,)), Retrier())

    with pytest.raises(DeadNoMore), listening.transaction() as tx:
        give_up(tx, Wanted(ids=(dead,)), Retrier(), why="again")

    assert letter(listening, dead).closed_why == "a test's"
