from uuid import uuid4

import pytest

from services.activities.listings.tables import Shift
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, at, make_shift, make_sign_up, make_volunteer

TIMES = {"checked_in_at": NINE.isoformat(), "checked_out_at": NOON.isoformat()}


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


@pytest.fixture
def host(door: Door, shift: Shift) -> Door:
    return door.by(Role.PARTNER, partner_id=shift.partner_id)


def test_a_partner_ticks_people_off(door: Door, host: Door, shift: Shift) -> None:
    """In and out, each with their own outcome; nobody else does."""
    place = door.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
    path, stranger = f"/shifts/{shift.id}/roster-check-ins", str(uuid4())
    people = [str(place.volunteer_id), stranger]

    outcomes = host.post(path, way="in", volunteer_ids=people).json()["items"]
    assert {row["volunteer_id"]: (row["state"], row["refused"]) for row in outcomes} == {
        str(place.volunteer_id): ("checked_in", None), stranger: (None, "not_signed_up"),
    }  # fmt: skip
    door.watch.now = NOON
    [left] = host.post(path, way="out", volunteer_ids=people[:1]).json()["items"]
    assert left["state"] == "settled"

    door.watch.now = at(13)
    assert refusal(host.post(path, way="in", volunteer_ids=people)) == (409, "check_in_closed")
    assert refusal(door.post(path, way="in", volunteer_ids=people)) == (403, "missing_permission")
    other = door.by(Role.PARTNER, partner_id=uuid4())
    assert refusal(other.post(path, way="in", volunteer_ids=people)) == (404, "not_found")


def test_a_walk_in_takes_two(door: Door, host: Door, shift: Shift) -> None:
    """Recorded by number, confirmed by the person; the number is not shown."""
    door.watch.now = at(14)
    person = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id, employee_number="E-9"))
    own, path = door.by(Role.VOLUNTEER, person_id=person.id), f"/shifts/{shift.id}/walk-ins"

    recorded = host.post(path, employee_number="E-9", **TIMES)
    assert recorded.status_code == 201
    assert "E-9" not in recorded.text
    thing = f"/walk-ins/{recorded.json()['id']}"
    assert [row["id"] for row in own.get("/walk-ins").json()["items"]] == [recorded.json()["id"]]
    assert own.post(f"{thing}/confirm").json()["state"] == "confirmed"

    assert own.get(f"/shifts/{shift.id}/attendance/mine").json()["service_minutes"] == 180
    assert host.get(thing).json()["state"] == "confirmed"
    assert refusal(own.post(f"{thing}/decline")) == (409, "walk_in_answered")
    assert refusal(host.post(path, employee_number="E-8", **TIMES)) == (422, "unknown_employee")
    stranger = door.by(Role.PARTNER, partner_id=uuid4())  # Whose shift it is not learns of no number.
    assert refusal(stranger.post(path, employee_number="E-8", **TIMES)) == (404, "not_found")
    for other in (door.by(Role.VOLUNTEER), door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
        assert refusal(other.get(thing)) == (404, "not_found")


def test_guests_are_a_number(host: Door, shift: Shift) -> None:
    """Corrected by counting again."""
    path = f"/shifts/{shift.id}/guest-count"
    assert [host.post(path, guests=guests).json()["guests"] for guests in (3, 4)] == [3, 4]
    assert refusal(host.post(path, guests=-1)) == (422, "invalid_input")


def test_people_on_a_shift_report_what_happened(door: Door, host: Door, shift: Shift) -> None:
    """A volunteer's complaint is not the partner's to read; nobody reports a signal of fraud by hand here."""
    place = door.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
    own, path = door.by(Role.VOLUNTEER, person_id=place.volunteer_id), f"/shifts/{shift.id}/incidents"

    complaint = own.post(path, kind="complaint", details="没有人接待")
    accident = host.post(path, kind="accident", details="有人摔倒")

    assert (complaint.status_code, accident.status_code) == (201, 201)
    assert [row["id"] for row in host.get("/incidents").json()["items"]] == [accident.json()["id"]]
    assert refusal(own.post(path, kind="fraud_signal", details="x")) == (422, "invalid_input")
    assert refusal(door.by(Role.VOLUNTEER).post(path, kind="complaint", details="x")) == (404, "not_signed_up")
