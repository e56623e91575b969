"""Giving dead letters up: for good, with a reason, and what waited behind them goes on."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func
from sqlalchemy.orm import Session

from shared.bus.dead_letters.closings import DeadNoMore, NothingChosen, ReasonMissing, UnknownLetters
from shared.bus.dead_letters.discards import Discarded, discard
from shared.bus.dead_letters.post_mortem import Wanted
from shared.bus.tables import DeadLetter
from shared.database.sessions import Database
from shared.errors import Refusal
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.bus.dead_letters.dying import HANDLER, Retrier, letter, make_dead
from tests.shared.bus.running import Owner
from tests.waiting import until

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


def test_a_letter_that_a_replay_has_in_hand_is_waited_for(listening: Database, hearer: Owner) -> None:
    """Two connections: whoever comes second finds it closed, and no letter is both replayed and given up."""
    dead = make_dead(listening)
    with ThreadPoolExecutor(1) as pool:
        with listening.transaction() as first:
            held = first.get_one(DeadLetter, dead, with_for_update=True)
            second = pool.submit(discard_alone, listening, dead)
            until(lambda: waiting(hearer), timeout=10, missing="somebody who waits for the letter")
            held.state, held.closed_at, held.closed_why = "replayed", func.now(), "mended"
        with pytest.raises(NothingChosen):
            second.result(timeout=10)

    assert letter(listening, dead).closed_why == "mended"


def discard_alone(database: Database, dead: UUID) -> None:
    with database.transaction() as tx:
        give_up(tx, Wanted(ids=(dead,)), Retrier())


def waiting(owner: Owner) -> int:
    rows = owner.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND wait_event_type = 'Lock'",
                         name=owner.name)  # fmt: skip
    return int(str(rows[0][0]))
