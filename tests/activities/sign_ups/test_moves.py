from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups import actions, rules
from services.activities.sign_ups.actions import Move
from services.activities.sign_ups.rules import Command, State
from services.activities.sign_ups.tables import SignUp
from shared.audit.trail import begin
from shared.events.activities_sign_ups import SignUpWithdrawn
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, make_shift, make_sign_up

LATER = NINE + timedelta(hours=1)
UNTOLD = {Command.ATTEND, Command.MISS}  # Attendance tells what it comes to.


def counted(tx: Session, shift: Shift) -> tuple[int, int]:
    """Count a shift's places twice: as it says, and as its sign-ups stand."""
    tx.refresh(shift)
    rows = select(func.count()).where(SignUp.shift_id == shift.id, SignUp.state.in_(rules.TAKING))
    return shift.taken, tx.scalars(rows).one()


@pytest.mark.parametrize("command", [each for each in Command if each is not Command.OFFER])
def test_a_command_moves_those_whom_it_can_move(tx: Session, command: Command) -> None:
    """All at once, with their shift's count, their event and the time; the others stay as they are."""
    shift = make_shift(tx, capacity=20)
    places = {state: make_sign_up(tx, shift, state=state) for state in State}
    movable = [places[state].id for state in rules.sources(command)]

    moved = actions.move(tx, Move(command, LATER, because="合成"), [place.id for place in places.values()])

    assert sorted(each.id for each in moved) == sorted(movable)
    target = rules.target(command)
    for state, place in places.items():
        tx.refresh(place)
        assert place.state == (target if place.id in movable else state)
        if place.id in movable:
            is_pending = target in rules.PENDING
            assert (place.ended_at, place.ended_because) == ((None, None) if is_pending else (LATER, "合成"))
            assert place.offer_expires_at is None
    assert len(set(counted(tx, shift))) == 1
    facts = [(type(fact), fact.sign_up_id, fact.at) for fact in told(tx)]  # type: ignore[attr-defined]  # Of sign-ups.
    expected = [] if command in UNTOLD else [(actions.TELLS[target], each.id, LATER) for each in moved]
    assert facts == expected


def test_who_moves_is_told_with_the_shift(tx: Session) -> None:
    """So that nobody has to ask back: whose it is, when, and by whom it is held."""
    shift = make_shift(tx)
    place = make_sign_up(tx, shift)

    actions.move(tx, Move(Command.WITHDRAW, LATER), [place.id])

    [fact] = told(tx)
    assert fact == SignUpWithdrawn(
        programme_id=PROGRAMME, sign_up_id=place.id, shift_id=shift.id, listing_id=shift.listing_id,
        partner_id=shift.partner_id, volunteer_id=place.volunteer_id, starts_at=NINE, ends_at=NOON, at=LATER,
    )  # fmt: skip


def test_the_trail_shows_what_moved(tx: Session) -> None:
    """The sign-ups and the places of their shifts, and no reason, which is of a person."""
    first, second = make_shift(tx), make_shift(tx)
    places = [make_sign_up(tx, shift) for shift in (first, first, second)]
    trail = begin(tx)

    actions.move(tx, Move(Command.EXCUSE, LATER, because="合成"), [place.id for place in places])

    assert trail.counted() == {"sign_up": {"excused": 3}, "shift": {"changed": 2}}
    shown = {change["id"]: (change["from"], change["to"]) for change in trail.shown()}
    assert shown[str(first.id)] == ({"taken": 2}, {"taken": 0})
    assert shown[str(places[0].id)] == (
        {"state": "confirmed", "ended_at": None}, {"state": "excused", "ended_at": "2022-06-01T02:00:00Z"},
    )  # fmt: skip
    assert "合成" not in str(trail.shown())


def test_who_comes_back_stands_at_the_end_of_the_line(tx: Session) -> None:
    """As if they had never been in it."""
    place = make_sign_up(tx, make_shift(tx), state=State.OFFER_EXPIRED)

    actions.move(tx, Move(Command.RETURN_TO_LINE, LATER), [place.id])

    tx.refresh(place)
    assert (place.state, place.signed_up_at, place.ended_at) == (State.WAITLISTED, LATER, None)


def test_nothing_to_move_is_nothing_told(tx: Session) -> None:
    """Nor asked of the database."""
    assert actions.move(tx, Move(Command.MISS, LATER), []) == []
    assert told(tx) == []
