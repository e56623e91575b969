from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.listings.actions import cancel_shift
from services.activities.listings.rules import ShiftCancelled
from services.activities.listings.tables import Shift
from services.activities.sign_ups import actions, queries, rules
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.seen import ANYTHING
from tests.activities.racing import at_once, held
from tests.factories.activities import NINE, NOON, PROGRAMME, make_shift, make_sign_up, make_volunteer


def sign_up(tx: Session, shift: Shift, volunteer_id: UUID, *, now: datetime = NINE) -> SignUp:
    return actions.sign_up(tx, programme_id=shift.programme_id, shift_id=shift.id, volunteer_id=volunteer_id, now=now)


def places(tx: Session, shift: Shift) -> tuple[int, int]:
    """Count a shift's places twice: as it says, and as they stand."""
    counted = tx.scalars(select(SignUp.id).where(SignUp.shift_id == shift.id)).all()
    return tx.scalars(select(Shift.taken).where(Shift.id == shift.id)).one(), len(counted)


def test_a_place_is_taken_once(tx: Session) -> None:
    """A second tap returns the same place, even when the shift is full or over by then."""
    shift, volunteer = make_shift(tx, capacity=1), make_volunteer(tx)

    first = sign_up(tx, shift, volunteer.id)
    again = sign_up(tx, shift, volunteer.id, now=NOON)

    assert again is first
    assert (first.source, first.signed_up_at, first.programme_id) == ("self", NINE, PROGRAMME)
    assert places(tx, shift) == (1, 1)


def test_a_full_shift_takes_nobody(tx: Session) -> None:
    """What is written down stays as it was."""
    shift = make_shift(tx, capacity=1)
    make_sign_up(tx, shift)

    with pytest.raises(rules.ShiftFull):
        sign_up(tx, shift, make_volunteer(tx).id)

    assert places(tx, shift) == (1, 1)


def test_a_shift_that_is_over_or_off_takes_nobody(tx: Session) -> None:
    """One that runs still does."""
    volunteer = make_volunteer(tx)
    with pytest.raises(rules.ShiftOver):
        sign_up(tx, make_shift(tx), volunteer.id, now=NOON)
    with pytest.raises(ShiftCancelled):
        sign_up(tx, make_shift(tx, state="cancelled", cancelled_because="台风"), volunteer.id)
    sign_up(tx, make_shift(tx, state="running"), volunteer.id, now=NOON - timedelta(seconds=1))


def test_people_and_shifts_of_another_programme_are_unknown(tx: Session) -> None:
    """As are people and shifts that do not exist."""
    shift, stranger = make_shift(tx), make_volunteer(tx, programme_id=uuid4())
    for volunteer_id in (stranger.id, uuid4()):
        with pytest.raises(NotFound):
            sign_up(tx, shift, volunteer_id)
    for shift_id in (make_shift(tx, programme_id=uuid4()).id, uuid4()):
        with pytest.raises(NotFound):
            actions.sign_up(tx, programme_id=PROGRAMME, shift_id=shift_id, volunteer_id=make_volunteer(tx).id, now=NINE)


def test_a_place_is_found_for_its_person_only(tx: Session) -> None:
    """Nobody else is signed up by it."""
    shift = make_shift(tx)
    place = make_sign_up(tx, shift)
    assert queries.require_place(tx, shift_id=shift.id, volunteer_id=place.volunteer_id) is place
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


class TestAtOnce:
    @pytest.fixture
    def shift(self, database: Database, programme: UUID) -> Shift:
        with database.transaction() as tx:
            return make_shift(tx, programme_id=programme, capacity=1)

    def person(self, database: Database, shift: Shift) -> UUID:
        with database.transaction() as tx:
            return make_volunteer(tx, programme_id=shift.programme_id).id

    def attempt(self, database: Database, shift: Shift, volunteer_id: UUID) -> Callable[[], UUID]:
        def run() -> UUID:
            with database.transaction() as tx:
                return sign_up(tx, shift, volunteer_id).id

        return run

    def test_the_last_place_goes_to_one(self, database: Database, shift: Shift) -> None:
        """Of eight who tap at the same moment."""
        people = [self.person(database, shift) for _ in range(8)]

        outcomes = at_once(*(self.attempt(database, shift, person) for person in people))

        assert outcomes.count("shift_full") == 7
        with database.transaction() as tx:
            assert places(tx, shift) == (1, 1)

    def test_the_second_waits_for_the_first(self, database: Database, shift: Shift) -> None:
        """Both must not see the last place free."""
        first, second = self.person(database, shift), self.person(database, shift)

        with held(database, lambda tx: sign_up(tx, shift, first)) as start:
            waiting = start(self.attempt(database, shift, second))

        assert waiting.result() == "shift_full"

    def test_one_person_on_two_devices_gets_one_place(self, database: Database, shift: Shift) -> None:
        """Both devices show it."""
        person = self.person(database, shift)

        first, second = at_once(*[self.attempt(database, shift, person)] * 2)

        assert first == second
        with database.transaction() as tx:
            assert places(tx, shift) == (1, 1)

    def test_nobody_gets_a_place_on_a_shift_being_called_off(self, database: Database, shift: Shift) -> None:
        """Whoever is second learns of the first."""
        person = self.person(database, shift)

        def cancel(tx: Session) -> None:
            cancel_shift(
                tx,
                programme_id=shift.programme_id,
                shift_id=shift.id,
                because="台风",
                partner_id=None,
                seen=ANYTHING,
            )

        with held(database, cancel) as start:
            waiting = start(self.attempt(database, shift, person))

        assert waiting.result() == "shift_cancelled"


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
