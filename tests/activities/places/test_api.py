from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_shift, make_sign_up, make_volunteer

BEFORE = NINE - timedelta(days=2)
REASON = {"reason": "有事请假"}
BECAUSE = {"because": "出差"}


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id, capacity=1))


@pytest.fixture
def volunteer(door: Door) -> Volunteer:
    return door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))


def put_in(door: Door, shift: Shift, **overrides: Any) -> SignUp:
    def make(tx: Session) -> SignUp:
        return make_sign_up(tx, tx.get_one(Shift, shift.id), **overrides)

    return door.put_in(make)


def of(door: Door, place: SignUp) -> Door:
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


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
        "state": "confirmed",
        "offer_expires_at": None,
        "ended_at": None,
        "ended_because": None,
    }
    assert door.get(f"/shifts/{shift.id}").json()["taken"] == 1


def test_refusals_say_why(door: Door, shift: Shift, volunteer: Volunteer) -> None:
    """Unknown people and shifts, full, over, and a place elsewhere."""
    own, path = door.by(Role.VOLUNTEER, person_id=volunteer.id), f"/shifts/{shift.id}/sign-ups"
    assert refusal(door.by(Role.VOLUNTEER).post(path)) == (404, "not_found")
    assert refusal(own.elsewhere().post(path)) == (404, "not_found")
    door.watch.now = NOON
    assert refusal(own.post(path)) == (409, "shift_over")
    door.watch.now = NOON - timedelta(seconds=1)
    put_in(door, shift)
    answer = own.post(path)
    assert refusal(answer) == (409, "shift_full")
    assert (answer.json()["title"], answer.json()["facts"]) == ("The shift is full", {"capacity": 1})
    other = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    assert own.post(f"/shifts/{other.id}/sign-ups").json()["state"] == "confirmed"
    door.watch.now = BEFORE
    answer = own.post(path)
    assert refusal(answer) == (409, "overlapping_shift")
    assert answer.json()["facts"]["shift_id"] == str(other.id)


def test_a_place_goes_from_hand_to_hand(door: Door, shift: Shift) -> None:
    """Waiting, asked, accepted; each sees only their own, by routes that name nobody."""
    door.watch.now = BEFORE
    holder = put_in(door, shift)
    waiting, last = (put_in(door, shift, state="waitlisted", signed_up_at=BEFORE) for _ in range(2))
    path = f"/sign-ups/{waiting.id}"
    assert refusal(of(door, waiting).post(f"{path}/accept")) == (409, "no_offer")

    given = of(door, holder).post(f"/sign-ups/{holder.id}/withdraw", **BECAUSE)
    assert (given.status_code, given.json()["state"], given.json()["ended_because"]) == (200, "withdrawn", "出差")
    shown = door.get(path)
    assert (shown.json()["state"], shown.json()["offer_expires_at"]) == ("offered", "2022-05-31T01:00:00Z")
    for stranger in (of(door, last), of(door, waiting).elsewhere()):
        for how in ("accept", "decline"):
            assert refusal(stranger.post(f"{path}/{how}")) == (404, "not_found")
        assert refusal(stranger.post(f"{path}/withdraw", **BECAUSE)) == (404, "not_found")

    assert of(door, waiting).post(f"{path}/accept").json()["state"] == "confirmed"
    assert refusal(of(door, waiting).post(f"{path}/decline")) == (409, "no_offer")
    assert door.get(f"/shifts/{shift.id}").json()["taken"] == 1


def test_an_offer_is_declined(door: Door, shift: Shift) -> None:
    """The next is asked; an answer after its time is too late."""
    door.watch.now = BEFORE
    asked, waiting = put_in(door, shift, state="offered"), put_in(door, shift, state="waitlisted")

    assert of(door, asked).post(f"/sign-ups/{asked.id}/decline").json()["state"] == "withdrawn"

    door.watch.now = BEFORE + timedelta(days=1)
    assert refusal(of(door, waiting).post(f"/sign-ups/{waiting.id}/accept")) == (409, "offer_over")


def test_giving_back_needs_a_reason_and_time(door: Door, shift: Shift) -> None:
    """Within a day it is late; when check-in is open it cannot be done any more."""
    place = put_in(door, shift)
    own, path = of(door, place), f"/sign-ups/{place.id}/withdraw"
    for body in ({}, {"because": " "}, BECAUSE | {"more": 1}):
        assert refusal(own.post(path, **body)) == (422, "invalid_input")
    door.watch.now = NINE - timedelta(minutes=30)
    assert refusal(own.post(path, **BECAUSE)) == (409, "shift_near")
    door.watch.now = NINE - timedelta(minutes=31)
    assert own.post(path, **BECAUSE).json()["state"] == "late_withdrawn"


def test_a_host_excuses_on_what_was_read(door: Door, shift: Shift) -> None:
    """Its own guests alone, and with a reason."""
    door.watch.now = BEFORE
    place = put_in(door, shift)
    host, path = door.by(Role.PARTNER, partner_id=shift.partner_id), f"/sign-ups/{place.id}"
    stranger = door.by(Role.PARTNER, partner_id=uuid4())
    assert refusal(stranger.get(path)) == (404, "not_found")
    assert refusal(stranger.decide(path, "excuse", **REASON)) == (404, "not_found")
    assert refusal(host.post(f"{path}/excuse", **REASON)) == (428, "precondition_required")
    assert refusal(host.decide(path, "excuse")) == (422, "invalid_input")
    read = host.get(path).headers["etag"]

    answer = host.decide(path, "excuse", on=read, **REASON)

    assert (answer.status_code, answer.json()["state"]) == (200, "excused")
    assert refusal(host.decide(path, "excuse", on=read, **REASON)) == (412, "precondition_failed")
    assert refusal(host.decide(path, "excuse", **REASON)) == (409, "sign_up_closed")


def test_a_reason_is_not_in_the_trail(door: Door, shift: Shift) -> None:
    """What somebody says of themself is theirs; that the place was given back is kept."""
    door.watch.now = BEFORE
    place = put_in(door, shift)
    of(door, place).post(f"/sign-ups/{place.id}/withdraw", because="家里有事")

    answer = door.by(Role.AUDITOR).get("/audit-entries")

    entries = answer.json()["items"]
    assert "家里有事" not in answer.text

    assert [entry["operation"] for entry in entries] == ["withdraw_sign_up"]
    assert entries[0]["counts"] == {"sign_up": {"withdrawn": 1}, "shift": {"changed": 1}}
