"""Orders to replay: what is frozen, what is refused, what is only looked at."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import clock
from shared.bus.burial import Reason
from shared.bus.dead_letters import replays
from shared.bus.dead_letters.closings import DeadNoMore, NothingChosen, ReasonMissing, UnknownLetters
from shared.bus.dead_letters.post_mortem import Wanted
from shared.bus.tables import Replay
from shared.database.sessions import Database
from shared.errors import NotFound, Refusal
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.bus.dead_letters.dying import letter, make_dead
from tests.shared.bus.running import Owner

ELSEWHERE, PERSON = uuid4(), uuid4()


def request(tx: Session, chosen: Wanted, **overrides: Any) -> Replay:
    values: dict[str, Any] = {
        "programme_id": PROGRAMME, "requested_by": PERSON, "why": "mended", "now": clock.now(),
    }  # fmt: skip
    return replays.request(tx, chosen, **values | overrides)


def members(owner: Owner, replay: Replay) -> set[UUID]:
    rows = owner.execute("SELECT dead_letter_id FROM replay_letter WHERE replay_id = :id", id=replay.id)
    return {UUID(str(each)) for (each,) in rows}


def test_the_set_is_frozen(listening: Database, hearer: Owner) -> None:
    """By ids, by cause, or all that match: one that dies a moment later is no part of it (PITFALLS.md O6)."""
    plain, refused = make_dead(listening), make_dead(listening, reason=Reason.REFUSED)
    cause = letter(listening, plain).cause
    with listening.transaction() as tx:
        by_id, by_cause = request(tx, Wanted(ids=(plain,))), request(tx, Wanted(cause=cause))
        everything, narrowed = request(tx, Wanted()), request(tx, Wanted(reason=Reason.REFUSED))
    make_dead(listening)

    assert [members(hearer, each) for each in (by_id, by_cause, everything, narrowed)] == [
        {plain}, {plain}, {plain, refused}, {refused},
    ]  # fmt: skip
    assert [each.total for each in (by_id, by_cause, everything, narrowed)] == [1, 1, 2, 1]
    assert [each.selection for each in (by_id, by_cause, everything, narrowed)] == [
        "1 by id", f"cause {cause}", "all", "reason refused",
    ]  # fmt: skip


def test_who_and_why_are_kept(listening: Database) -> None:
    """Somebody will ask."""
    make_dead(listening)
    now = clock.now()
    with listening.transaction() as tx:
        made = request(tx, Wanted(), why="  the policy is approved ", now=now)

    assert (made.requested_by, made.why, made.requested_at) == (PERSON, "the policy is approved", now)
    assert (made.finished_at, made.letters_per_second) == (None, replays.LETTERS_PER_SECOND)


@pytest.mark.parametrize(
    ("chosen", "overrides", "refusal"),
    [
        (Wanted(), {"why": " "}, ReasonMissing),
        (Wanted(cause="nothing"), {}, NothingChosen),
        (Wanted(ids=()), {}, NothingChosen),
        (Wanted(ids=(uuid4(),)), {}, UnknownLetters),
        (Wanted(), {"programme_id": ELSEWHERE}, NothingChosen),
    ],
)
def test_what_is_refused_is_not_written(
    listening: Database, hearer: Owner, chosen: Wanted, overrides: dict[str, Any], refusal: type[Refusal]
) -> None:
    """An empty set, an empty reason, an id that nobody knows."""
    make_dead(listening)

    with pytest.raises(refusal), listening.transaction() as tx:
        request(tx, chosen, **overrides)

    assert (hearer.count("replay"), hearer.count("replay_letter")) == (0, 0)


def test_one_unknown_id_among_others_is_named(listening: Database, hearer: Owner) -> None:
    """Nothing is replayed of a list with a slip in it; another programme's letter is as unknown as none."""
    mine, foreign = make_dead(listening), make_dead(listening, make_settled(programme_id=ELSEWHERE))

    with pytest.raises(UnknownLetters) as refusal, listening.transaction() as tx:
        request(tx, Wanted(ids=(mine, foreign)))

    assert refusal.value.facts == {"ids": [foreign]}
    assert hearer.count("replay") == 0


def test_a_closed_letter_is_not_replayed(listening: Database, hearer: Owner) -> None:
    """It had its effect, or somebody gave it up."""
    dead = make_dead(listening)
    hearer.execute("UPDATE dead_letter SET state = 'replayed', closed_at = now()")

    with pytest.raises(DeadNoMore), listening.transaction() as tx:
        request(tx, Wanted(ids=(dead,)))


def test_a_preview_writes_nothing(listening: Database, hearer: Owner) -> None:
    """It counts, by cause, and refuses what the order itself would refuse."""
    for _ in range(2):
        make_dead(listening)
    make_dead(listening, reason=Reason.REFUSED)
    with listening.transaction() as tx:
        found = replays.preview(tx, Wanted(), programme_id=PROGRAMME)
        with pytest.raises(NothingChosen):
            replays.preview(tx, Wanted(cause="nothing"), programme_id=PROGRAMME)

    assert (found.total, [cause.letters for cause in found.causes]) == (3, [2, 1])
    assert hearer.count("replay") == 0


def test_progress_is_the_programmes_own(listening: Database) -> None:
    """Another programme's replay is neither listed nor found."""
    make_dead(listening)
    with listening.transaction() as tx:
        made = [request(tx, Wanted()) for _ in range(3)]
    with listening.transaction() as tx:
        found = replays.progress_of(tx, tx.scalars(replays.replays_of(PROGRAMME).order_by(Replay.id)).all())
        assert tx.scalars(replays.replays_of(ELSEWHERE)).all() == []
        with pytest.raises(NotFound):
            replays.get_progress(tx, made[0].id, programme_id=ELSEWHERE)

    assert [each.replay.id for each in found] == [each.id for each in made]
    assert {(each.left, each.replayed) for each in found} == {(1, 0)}


def test_twenty_thousand_letters_are_frozen_with_a_few_statements(listening: Database, hearer: Owner) -> None:
    """A group may be as large as an outage was long."""
    make_dead(listening)
    hearer.execute("""
        INSERT INTO dead_letter (fingerprint, origin, programme_id, headers, body, reason, error, cause, attempts)
        SELECT int8send(n), 'inbox', programme_id, headers, body, reason, error, 'many', 1
        FROM dead_letter, generate_series(1, 20000) AS n
    """)
    with listening.transaction() as tx:
        tx.execute(text("SET LOCAL statement_timeout = '5s'"))
        assert request(tx, Wanted(cause="many")).total == 20_000
