from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.draws import actions, rules
from services.activities.draws.actions import Declaration
from services.activities.draws.tables import Draw
from services.activities.listings.rules import BadShift, ShiftCancelled, Times
from services.activities.listings.tables import Shift
from services.activities.places.actions import Own, withdraw
from services.activities.schedules.actions import Decision, reschedule
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_shifts import ShiftDrawn
from shared.seen import ANYTHING, Seen
from tests.activities.asking import sign_up
from tests.activities.racing import at_once
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, make_draw, make_shift, make_sign_up, make_volunteer

DAY = timedelta(days=1)
BEFORE = NINE - 2 * DAY
DRAWN = NINE - DAY


def declare(tx: Session, shift: Shift, **changed: Any) -> Draw:
    values: dict[str, Any] = {
        "programme_id": shift.programme_id, "shift_id": shift.id, "partner_id": None, "seen": ANYTHING,
        "draws_at": DRAWN, "at": BEFORE,
    }  # fmt: skip
    return actions.declare(tx, Declaration(**values | changed))


def enter(tx: Session, shift: Shift, count: int) -> list[SignUp]:
    people = [make_volunteer(tx, programme_id=shift.programme_id).id for _ in range(count)]
    return [
        sign_up(tx, programme_id=shift.programme_id, shift_id=shift.id, volunteer_id=person, now=BEFORE)
        for person in people
    ]  # fmt: skip


def line(tx: Session, shift: Shift) -> list[UUID]:
    """Return who was drawn, in order."""
    tx.expire_all()
    rows = select(SignUp.id).where(SignUp.shift_id == shift.id, SignUp.drawn_place.is_not(None))
    return list(tx.scalars(rows.order_by(SignUp.drawn_place)))


class TestDeclare:
    def test_a_draw_is_declared_before_anybody_signs_up(self, tx: Session) -> None:
        """What is kept binds to a seed that nobody else knows, another one each time."""
        first, second = (declare(tx, make_shift(tx)) for _ in range(2))

        assert first.commitment == rules.commitment_of(first.seed)
        assert (first.draws_at, first.drawn_at, first.entries) == (DRAWN, None, None)
        assert first.seed != second.seed

    @pytest.mark.parametrize("state", ["confirmed", "withdrawn"])
    def test_not_after_that(self, tx: Session, state: str) -> None:
        """Nor a second time."""
        shift, drawn = make_shift(tx), make_shift(tx)
        make_sign_up(tx, shift, state=state)
        declare(tx, drawn)
        for each in (shift, drawn):
            with pytest.raises(rules.AlreadySignedUp):
                declare(tx, each)

    def test_within_ones_own_and_on_what_was_read(self, tx: Session) -> None:
        """And for a shift that is to come."""
        shift = make_shift(tx)
        for name in ("programme_id", "partner_id", "shift_id"):
            with pytest.raises(NotFound):
                declare(tx, shift, **{name: uuid4()})
        with pytest.raises(ChangedSince):
            declare(tx, shift, seen=Seen(("old",)))
        with pytest.raises(BadShift):
            declare(tx, shift, draws_at=NINE)
        with pytest.raises(ShiftCancelled):
            declare(tx, make_shift(tx, state="cancelled", cancelled_because="台风"))
        assert not shift.awaits_draw


class TestHold:
    def test_until_then_all_who_sign_up_stand_in_the_line(self, tx: Session) -> None:
        """Though there are places; nobody who withdraws makes anybody else's."""
        shift = make_shift(tx, capacity=2)
        make_draw(tx, shift)

        entries = enter(tx, shift, 3)
        withdraw(tx, Own(PROGRAMME, entries[0].id, entries[0].volunteer_id, BEFORE), because="出差")

        tx.expire_all()
        assert [entry.state for entry in entries] == ["withdrawn", "waitlisted", "waitlisted"]
        assert shift.taken == 0

    def test_the_first_drawn_are_offered_places_and_the_others_wait_in_that_order(self, tx: Session) -> None:
        """Once; the order is what anybody computes from the seed that is told then."""
        shift = make_shift(tx, capacity=2)
        draw = make_draw(tx, shift)
        entries = enter(tx, shift, 6)
        gone = entries.pop()
        withdraw(tx, Own(PROGRAMME, gone.id, gone.volunteer_id, BEFORE), because="出差")

        actions.hold_due(tx, now=DRAWN - timedelta(microseconds=1))
        assert line(tx, shift) == []
        for _ in range(2):
            actions.hold_due(tx, now=DRAWN)

        order = rules.drawn(draw.seed, [entry.id for entry in entries])
        assert line(tx, shift) == order
        states = {entry.id: entry.state for entry in entries}
        assert [states[entry] for entry in order] == ["offered"] * 2 + ["waitlisted"] * 3
        assert (shift.taken, shift.awaits_draw, draw.drawn_at, draw.entries) == (2, False, DRAWN, 5)
        [fact] = [each for each in told(tx) if isinstance(each, ShiftDrawn)]
        assert (fact.seed, fact.commitment, fact.entries) == (draw.seed, draw.commitment, 5)

    def test_who_comes_later_stands_behind_all_who_were_drawn(self, tx: Session) -> None:
        """However early they say that they signed up; who leaves and returns is no more drawn."""
        shift = make_shift(tx, capacity=1)
        draw = make_draw(tx, shift)
        entries = enter(tx, shift, 3)
        actions.hold_due(tx, now=DRAWN)
        make_sign_up(tx, shift, state="waitlisted", signed_up_at=BEFORE - DAY)
        first, second, third = rules.drawn(draw.seed, [entry.id for entry in entries])
        people = {entry.id: entry.volunteer_id for entry in entries}

        withdraw(tx, Own(PROGRAMME, first, people[first], DRAWN), because="出差")
        sign_up(tx, programme_id=PROGRAMME, shift_id=shift.id, volunteer_id=people[first], now=DRAWN)

        assert line(tx, shift) == [second, third]
        assert tx.get_one(SignUp, second).state == "offered"
        withdraw(tx, Own(PROGRAMME, second, people[second], DRAWN), because="出差")
        tx.expire_all()
        assert tx.get_one(SignUp, third).state == "offered"

    def test_nobody_entered(self, tx: Session) -> None:
        """Then whoever comes first has a place."""
        shift = make_shift(tx, capacity=1)
        draw = make_draw(tx, shift)

        actions.hold_due(tx, now=DRAWN)

        assert (draw.entries, shift.awaits_draw) == (0, False)
        assert enter(tx, shift, 1)[0].state == "confirmed"

    def test_a_shift_that_is_off_is_not_drawn(self, tx: Session) -> None:
        """Its seed stays a secret."""
        draw = make_draw(tx, make_shift(tx, state="cancelled", cancelled_because="台风"))
        actions.hold_due(tx, now=DRAWN)
        assert draw.drawn_at is None

    def test_a_shift_is_not_moved_to_before_its_draw(self, tx: Session) -> None:
        """Nor so near that nobody could answer; once it is drawn it is as any other."""
        shift = make_shift(tx)
        make_draw(tx, shift)
        near = DRAWN + timedelta(hours=3)
        decision = Decision(PROGRAMME, shift.id, None, ANYTHING, BEFORE)
        with pytest.raises(BadShift):
            reschedule(tx, decision, Times(near, near + timedelta(hours=1)))
        assert reschedule(tx, decision, Times(NINE + DAY, NOON + DAY)).awaits_draw


def test_two_timers_hold_a_draw_once(database: Database, programme: UUID) -> None:
    """The second finds it done; an entry that comes at the same time is in it or behind it."""
    with database.transaction() as tx:
        shift = make_shift(tx, programme_id=programme, capacity=2)
        make_draw(tx, shift)
        enter(tx, shift, 8)
        late = make_volunteer(tx, programme_id=programme).id

    def hold() -> int:
        with database.transaction() as tx:
            return actions.hold_due(tx, now=DRAWN)

    def come_late() -> str:
        with database.transaction() as tx:
            return sign_up(tx, programme_id=programme, shift_id=shift.id, volunteer_id=late, now=DRAWN).state

    doing: list[Callable[[], object]] = [hold, hold, come_late]
    at_once(*doing)

    with database.transaction() as tx:
        states = tx.scalars(select(SignUp.state).where(SignUp.shift_id == shift.id)).all()
        facts = [fact for fact in told(tx, programme) if isinstance(fact, ShiftDrawn)]
        assert tx.get_one(Shift, shift.id).taken == 2
    assert (states.count("offered"), states.count("waitlisted")) == (2, 7)
    assert [fact.entries for fact in facts] in ([8], [9])
