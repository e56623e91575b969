from datetime import timedelta

import pytest

from services.activities.listings.tables import Shift
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NOON, make_shift, make_sign_up, make_volunteer


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id, capacity=1))


@pytest.fixture
def volunteer(door: Door) -> Volunteer:
    return door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))


def test_a_place_is_taken_for_oneself(door: Door, shift: Shift, volunteer: Volunteer) -> None:
    """Again returns the same place; there is no way to name somebody else."""
    own = door.by(Role.VOLUNTEER, person_id=volunteer.id)

    first, again = (own.call("POST", f"/shifts/{shift.id}/sign-ups") for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json() == {
        "id": first.json()["id"],
        "shift_id": str(shift.id),
        "volunteer_id": str(volunteer.id),
        "signed_up_at": "2022-06-01T01:00:00Z",
    }
    assert door.get(f"/shifts/{shift.id}").json()["taken"] == 1


def test_refusals_say_why(door: Door, shift: Shift, volunteer: Volunteer) -> None:
    """Unknown people and shifts, full, over."""
    own, path = door.by(Role.VOLUNTEER, person_id=volunteer.id), f"/shifts/{shift.id}/sign-ups"
    assert refusal(door.by(Role.VOLUNTEER).post(path)) == (404, "not_found")
    assert refusal(own.elsewhere().post(path)) == (404, "not_found")
    door.watch.now = NOON
    assert refusal(own.post(path)) == (409, "shift_over")
    door.watch.now = NOON - timedelta(seconds=1)
    door.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
    answer = own.post(path)
    assert refusal(answer) == (409, "shift_full")
    assert (answer.json()["title"], answer.json()["facts"]) == ("The shift is full", {"capacity": 1})
