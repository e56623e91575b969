"""Many who sign up at once: each wish is judged by itself, what follows is written together."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.places import actions
from services.activities.places.actions import Outcome, Wish
from services.activities.sign_ups.actions import Move, move
from services.activities.sign_ups.rules import Command
from services.activities.sign_ups.tables import SignUp
from shared.audit import trail
from shared.database.sessions import Database
from shared.errors import Refusal
from shared.events.activities_sign_ups import SignUpConfirmed, SignUpWaitlisted
from tests.activities.racing import at_once, held
from tests.activities.told import told
from tests.factories.activities import MINUTE, NINE, make_shift, make_sign_up, make_volunteer

BEFORE = NINE - timedelta(days=2)
GROUP, GROUPS = 100, 5
CROWD = GROUP * GROUPS


def wish(tx: Session, shift: Shift, *, minute: int = 0, person: UUID | None = None) -> Wish:
    person = person or make_volunteer(tx, programme_id=shift.programme_id).id
    return Wish(shift.programme_id, shift.id, person, BEFORE + minute * MINUTE)


def said(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code if isinstance(outcome, Refusal) else outcome.state for outcome in outcomes]


def many(tx: Session, *wishes: Wish) -> list[str]:
    tx.flush()
    assert actions.hold(tx, wishes, wait=True) == [True] * len(wishes)
    return said(actions.sign_up_many(tx, wishes))


def test_each_wish_is_judged_by_itself(tx: Session) -> None:
    """Two shifts, one of them full, one called off; a stranger, no such shift, somebody who is elsewhere then."""
    full, free = make_shift(tx, capacity=1, taken=1), make_shift(tx, capacity=3)
    off = make_shift(tx, state="cancelled", cancelled_because="台风")
    busy = make_sign_up(tx, make_shift(tx)).volunteer_id
    nobody, nowhere = replace(wish(tx, free), volunteer_id=uuid4()), replace(wish(tx, free), shift_id=uuid4())
    foreign = replace(wish(tx, free), programme_id=uuid4())

    assert many(
        tx, wish(tx, full), wish(tx, free), wish(tx, off), nobody, nowhere, foreign, wish(tx, free, person=busy),
        wish(tx, free),
    ) == [
        "waitlisted", "confirmed", "shift_cancelled", "not_found", "not_found", "not_found", "overlapping_shift",
        "confirmed",
    ]  # fmt: skip
    taken = tx.execute(select(Shift.id, Shift.taken).where(Shift.id.in_([full.id, free.id, off.id])))
    assert {row.id: row.taken for row in taken} == {full.id: 1, free.id: 2, off.id: 0}


def test_who_asked_first_comes_first(tx: Session) -> None:
    """Of three for two places, in whatever order their calls came through; the third stands in the line."""
    shift = make_shift(tx, capacity=2)
    wishes = [wish(tx, shift, minute=minute) for minute in (2, 0, 1)]

    assert many(tx, *wishes) == ["waitlisted", "confirmed", "confirmed"]
    kinds = [type(fact) for fact in told(tx)]
    assert kinds == [SignUpConfirmed, SignUpConfirmed, SignUpWaitlisted]
    assert [fact.volunteer_id for fact in told(tx) if isinstance(fact, SignUpWaitlisted)] == [wishes[0].volunteer_id]


def test_who_comes_again_is_counted_with_the_others(tx: Session) -> None:
    """Somebody who had withdrawn takes the last place before the one who asks after them; who has one keeps it."""
    shift = make_shift(tx, capacity=2)
    has = make_sign_up(tx, shift)
    back = make_sign_up(tx, shift, state="withdrawn")
    shift.taken = 1
    later = wish(tx, shift, minute=9)

    assert many(
        tx, later, wish(tx, shift, person=back.volunteer_id), wish(tx, shift, minute=5, person=has.volunteer_id)
    ) == ["waitlisted", "confirmed", "confirmed"]  # fmt: skip
    assert tx.scalars(select(Shift.taken).where(Shift.id == shift.id)).one() == 2


def test_what_is_changed_is_told_apart(tx: Session) -> None:
    """The places that were given stand in the trail of the first who got one; a refused wish has changed nothing."""
    shift = make_shift(tx, capacity=2)
    wishes = [wish(tx, shift, minute=minute) for minute in range(3)]
    busy = make_sign_up(tx, make_shift(tx)).volunteer_id
    tx.flush()
    people = [*(each.volunteer_id for each in wishes), busy]
    trails = trail.begin_each(tx, people)

    actions.sign_up_many(tx, [*wishes, wish(tx, shift, person=busy)])

    added = {"sign_up": {"added": 1}}
    assert [trails[person].counted() for person in people] == [added | {"shift": {"changed": 1}}, added, added, {}]
    assert trails[people[0]].changes["shift"] == {str(shift.id): ({"taken": 0}, {"taken": 2})}


def test_without_time_to_wait_only_the_free_are_held(database: Database, programme: UUID) -> None:
    """Who is being corrected waits alone, and so does who asks for a shift that is being changed."""
    with database.transaction() as tx:
        quiet, moved = (make_shift(tx, programme_id=programme) for _ in range(2))
        wishes = [wish(tx, quiet), wish(tx, quiet), wish(tx, moved)]

    with database.transaction() as other:
        actions.hold(other, [wishes[0], replace(wishes[2], volunteer_id=uuid4())], wait=True)
        with database.transaction() as tx:
            # `quiet` is locked by the first one as well.
            assert actions.hold(tx, wishes, wait=False) == [False, False, False]
    with database.transaction() as other:
        actions.hold(other, [replace(wishes[2], volunteer_id=uuid4())], wait=True)
        with database.transaction() as tx:
            assert actions.hold(tx, wishes, wait=False) == [True, True, False]


def test_a_group_waits_for_what_is_soon_free(database: Database, programme: UUID) -> None:
    """A withdrawal holds a shift for milliseconds: nobody is set apart for that, and late calls overtake nobody."""
    with database.transaction() as tx:
        shift = make_shift(tx, programme_id=programme)
        wishes = [wish(tx, shift), wish(tx, shift)]

    def hold() -> list[bool]:
        with database.transaction() as tx:
            found = actions.hold(tx, wishes, wait=False)
            assert tx.scalar(text("SHOW lock_timeout")) == "10s"  # As long as ever for what comes next.
            return found

    other = replace(wishes[0], volunteer_id=uuid4())
    with held(database, lambda tx: actions.hold(tx, [other], wait=True)) as start:
        waiting = start(hold)
    assert waiting.result() == [True, True]


@pytest.mark.parametrize("capacity", [1, GROUP])
def test_five_hundred_for_the_last_places(database: Database, programme: UUID, capacity: int) -> None:
    """Five groups at once, as of five processes: each place is given once, within a group in the order of asking."""
    with database.transaction() as tx:
        shift = make_shift(tx, programme_id=programme, capacity=capacity)
        wishes = [wish(tx, shift, minute=minute) for minute in range(CROWD)]
    groups = [wishes[number::GROUPS] for number in range(GROUPS)]

    def sign_up(group: list[Wish]) -> list[str]:
        with database.transaction() as tx:
            return many(tx, *group[::-1])  # However their calls came through.

    states = list(chain.from_iterable(at_once(*(partial(sign_up, group) for group in groups))))

    assert (states.count("confirmed"), states.count("waitlisted")) == (capacity, CROWD - capacity)
    with database.transaction() as tx:
        assert tx.scalars(select(Shift.taken).where(Shift.id == shift.id)).one() == capacity
        rows = select(SignUp).where(SignUp.shift_id == shift.id).order_by(SignUp.signed_up_at)
        stand = {place.volunteer_id: place.state for place in tx.scalars(rows)}
        placed = tx.scalars(rows.where(SignUp.state == "confirmed")).all()
        move(tx, Move(Command.WITHDRAW, BEFORE + timedelta(hours=9)), [place.id for place in placed])
        offered = tx.scalars(rows.where(SignUp.state == "offered")).all()
    for group in groups:
        assert sorted(group_states := [stand[each.volunteer_id] for each in group]) == group_states
    waiting = [each.volunteer_id for each in wishes if stand[each.volunteer_id] == "waitlisted"]
    assert [place.volunteer_id for place in offered] == waiting[:capacity]
