"""Many for few places, on real connections."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.places import actions
from services.activities.places.actions import Own
from services.activities.sign_ups.actions import expire_offers
from services.activities.sign_ups.rules import TAKING
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from tests.activities.asking import sign_up
from tests.activities.racing import at_once, held
from tests.factories.activities import MINUTE, NINE, make_shift, make_sign_up, make_volunteer

BEFORE = NINE - timedelta(days=2)
CROWD = 60
ROUNDS = 5


@pytest.fixture
def shift(database: Database, programme: UUID) -> Shift:
    with database.transaction() as tx:
        return make_shift(tx, programme_id=programme, capacity=1)


def people(database: Database, shift: Shift, count: int) -> list[UUID]:
    with database.transaction() as tx:
        return [make_volunteer(tx, programme_id=shift.programme_id).id for _ in range(count)]


def signing_up(database: Database, shift: Shift, person: UUID, *, minute: int = 0) -> Callable[[], str]:
    def run() -> str:
        with database.transaction() as tx:
            programme = shift.programme_id
            now = BEFORE + minute * MINUTE
            place = sign_up(tx, programme_id=programme, shift_id=shift.id, volunteer_id=person, now=now)
            return f"{place.id} {place.state}"

    return run


def answering(database: Database, place: SignUp, answer: Callable[[Session, Own], SignUp]) -> Callable[[], str]:
    def run() -> str:
        with database.transaction() as tx:
            return answer(tx, Own(place.programme_id, place.id, place.volunteer_id, BEFORE)).state

    return run


def withdrawing(database: Database, place: SignUp) -> Callable[[], str]:
    return answering(database, place, partial(actions.withdraw, because="出差"))


def stand(database: Database, shift: Shift) -> tuple[Counter[str], int]:
    """Count the shift's sign-ups by state; its own count must be what they take."""
    with database.transaction() as tx:
        found = Counter(tx.scalars(select(SignUp.state).where(SignUp.shift_id == shift.id)))
        taken = tx.scalars(select(Shift.taken).where(Shift.id == shift.id)).one()
    assert taken == sum(found[state] for state in TAKING)
    return found, taken


def test_of_a_crowd_one_has_the_last_place_and_the_others_stand_in_order(database: Database, shift: Shift) -> None:
    """Whoever asked first is first in the line, in whatever order their requests came through."""
    crowd = people(database, shift, CROWD)

    outcomes = at_once(*(signing_up(database, shift, person, minute=n) for n, person in enumerate(crowd)))

    assert Counter(str(each).split()[1] for each in outcomes) == {"confirmed": 1, "waitlisted": CROWD - 1}
    assert stand(database, shift) == (Counter(confirmed=1, waitlisted=CROWD - 1), 1)
    winner = crowd[[str(each).split()[1] for each in outcomes].index("confirmed")]
    line = [person for person in crowd if person != winner]
    for person in line[:3]:  # Each gives way to the next in the line.
        with database.transaction() as tx:
            asked = tx.scalars(select(SignUp).where(SignUp.shift_id == shift.id, SignUp.state.in_(TAKING))).one()
            actions.withdraw(tx, Own(asked.programme_id, asked.id, asked.volunteer_id, BEFORE), because="出差")
        with database.transaction() as tx:
            offered = select(SignUp.volunteer_id).where(SignUp.shift_id == shift.id, SignUp.state == "offered")
            assert tx.scalars(offered).all() == [person]


def test_the_second_waits_for_the_first(database: Database, shift: Shift) -> None:
    """Both must not see the last place free."""
    first, second = people(database, shift, 2)

    def take(tx: Session) -> None:
        sign_up(tx, programme_id=shift.programme_id, shift_id=shift.id, volunteer_id=first, now=BEFORE)

    with held(database, take) as start:
        waiting = start(signing_up(database, shift, second))

    assert waiting.result().endswith(" waitlisted")


def test_one_person_on_two_devices_gets_one_place(database: Database, shift: Shift) -> None:
    """Both devices show it."""
    (person,) = people(database, shift, 1)

    first, second = at_once(*[signing_up(database, shift, person)] * 2)

    assert first == second
    assert stand(database, shift) == (Counter(confirmed=1), 1)


def test_one_person_gets_one_of_two_shifts_at_one_time(database: Database, shift: Shift) -> None:
    """The person's lock is what both wait for: neither shift's would stop the other."""
    with database.transaction() as tx:
        other = make_shift(tx, programme_id=shift.programme_id)
    (person,) = people(database, shift, 1)

    outcomes = at_once(signing_up(database, shift, person), signing_up(database, other, person))

    assert "overlapping_shift" in outcomes
    assert sorted([stand(database, shift)[1], stand(database, other)[1]]) == [0, 1]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_answer_and_its_end_at_the_same_time(database: Database, shift: Shift, round_: int) -> None:
    """Either it was in time, or the next is asked; never both."""
    with database.transaction() as tx:
        asked = make_sign_up(tx, tx.merge(shift), state="offered", offer_expires_at=BEFORE + MINUTE)
        make_sign_up(tx, tx.get_one(Shift, shift.id), state="waitlisted")

    def end() -> int:
        with database.transaction() as tx:
            return expire_offers(tx, now=BEFORE + MINUTE)

    answer, _ = at_once(answering(database, asked, actions.accept), end)

    found, taken = stand(database, shift)
    assert taken == 1, round_
    if answer == "confirmed":
        assert found == Counter(confirmed=1, waitlisted=1)
    else:
        assert (answer, found) == ("no_offer", Counter(offer_expired=1, offered=1))


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_places_given_back_at_the_same_time_are_each_offered_once(
    database: Database, programme: UUID, round_: int
) -> None:
    """On shifts that people share crosswise, in the other order: nobody waits in a circle."""
    with database.transaction() as tx:
        shifts = [make_shift(tx, programme_id=programme, capacity=2) for _ in range(2)]
        places = [make_sign_up(tx, each) for each in (*shifts, *shifts)]
        for each in shifts:
            for _ in range(3):
                make_sign_up(tx, each, state="waitlisted")

    outcomes = at_once(*(withdrawing(database, place) for place in places))

    assert outcomes == ["withdrawn"] * 4, round_
    for each in shifts:
        assert stand(database, each) == (Counter(withdrawn=2, offered=2, waitlisted=1), 2)
