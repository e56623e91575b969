from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups import actions, queries, rules
from services.activities.sign_ups.rules import State
from services.activities.sign_ups.tables import SignUp
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, make_shift, make_sign_up, make_volunteer


def places(tx: Session, shift: Shift) -> tuple[int, int]:
    """Count a shift's places twice: as it says, and as they stand."""
    counted = select(func.count()).where(SignUp.shift_id == shift.id, SignUp.state.in_(rules.TAKING))
    return tx.scalars(select(Shift.taken).where(Shift.id == shift.id)).one(), tx.scalars(counted).one()


def test_a_place_is_found_for_its_person_only(tx: Session) -> None:
    """Nobody else is signed up by it, and who waits, is asked or has given it back has none.

    Whoever had one until the host called it off finds it, to be told so.
    """
    shift = make_shift(tx, capacity=20)
    for state in State:
        place = make_sign_up(tx, shift, state=state)
        if state in rules.PLACED | {State.CANCELLED_BY_HOST}:
            assert queries.require_place(tx, shift_id=shift.id, volunteer_id=place.volunteer_id) is place
        else:
            with pytest.raises(rules.NotSignedUp):
                queries.require_place(tx, shift_id=shift.id, volunteer_id=place.volunteer_id)
    with pytest.raises(rules.NotSignedUp):
        queries.require_place(tx, shift_id=shift.id, volunteer_id=make_volunteer(tx).id)


def test_history_gives_places_beyond_the_capacity(tx: Session) -> None:
    """It is what happened; those who have a place keep it as it was."""
    shift = make_shift(tx, capacity=1)
    known, fresh = make_sign_up(tx, shift).volunteer_id, make_volunteer(tx).id

    for _ in range(2):
        actions.add_places(tx, programme_id=PROGRAMME, places=[(shift.id, known), (shift.id, fresh)], now=NINE)

    assert places(tx, shift) == (2, 2)
    rows = tx.execute(select(SignUp.volunteer_id, SignUp.source).where(SignUp.shift_id == shift.id))
    assert dict(rows.all()) == {known: "self", fresh: "import"}
    assert told(tx) == []  # It is past.


class TestWithdrawAhead:
    def test_places_ahead_are_free_again(self, tx: Session) -> None:
        """Those on shifts that are over, and those to which the person came, stay."""
        person = make_volunteer(tx)
        shifts = [make_shift(tx, ends_at=NOON + place * timedelta(hours=1)) for place in range(3)]
        for shift in shifts:
            make_sign_up(tx, shift, volunteer=person)
            make_sign_up(tx, shift)
        over, attended, ahead = shifts

        def withdraw() -> int:
            which = {"attended": [attended.id], "over_at": over.ends_at}
            return actions.withdraw_ahead(tx, volunteer_id=person.id, now=NOON, **which)  # type: ignore[arg-type]  # As named.

        assert [withdraw(), withdraw()] == [1, 0]
        for shift, taken in ((over, 2), (attended, 2), (ahead, 1)):
            tx.refresh(shift)
            assert shift.taken == taken
        assert queries.find_place(tx, shift_id=ahead.id, volunteer_id=person.id) is None
        for shift in (over, attended):
            assert queries.find_place(tx, shift_id=shift.id, volunteer_id=person.id) is not None

    def test_offers_and_places_in_a_line_too(self, tx: Session) -> None:
        """And the next in the line is offered what was kept."""
        person, shift, other = make_volunteer(tx), make_shift(tx, capacity=1), make_shift(tx)
        make_sign_up(tx, shift, volunteer=person, state=State.OFFERED)
        waiting = make_sign_up(tx, shift, state=State.WAITLISTED)
        make_sign_up(tx, other, volunteer=person, state=State.WAITLISTED)
        now = NINE - timedelta(days=2)

        assert actions.withdraw_ahead(tx, volunteer_id=person.id, attended=[], over_at=now, now=now) == 2

        tx.refresh(waiting)
        assert (waiting.state, places(tx, shift)) == (State.OFFERED, (1, 1))


def test_reasons_go_with_the_person(tx: Session) -> None:
    """That a place was given back stays; nobody else's reason is touched."""
    mine, others = (make_sign_up(tx, make_shift(tx), state="withdrawn", ended_because="合成") for _ in range(2))

    actions.forget_reasons(tx, volunteer_id=mine.volunteer_id)

    for place, reason in ((mine, None), (others, "合成")):
        tx.refresh(place)
        assert (place.state, place.ended_because) == (State.WITHDRAWN, reason)
