"""By which device somebody scans: what the doors take, and what is kept of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.activities.check_ins.actions import Attempt
from services.activities.closings.actions import close_shifts
from services.activities.incidents.tables import Incident
from services.activities.listings.tables import Shift
from services.activities.scans.rules import LEAST_DEVICE, MOST_DEVICE, device_mark
from services.activities.scans.tables import Scan
from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, SECRET, at, code, make_shift, make_sign_up
from tests.marking import NUMBER, kept_aside, marked, written
from tests.shared.bus.running import counted

PHONE, TABLET = "a-telephone-of-somebody", "the-tablet-at-the-door"
MARKED = f"{NUMBER}-telephone"  # Would be noticed in a log.


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


def guest_of(door: Door, shift: Shift) -> Door:
    """Let somebody have a place."""
    place: SignUp = door.put_in(lambda tx: make_sign_up(tx, tx.get_one(Shift, shift.id)))
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


def scan(guest: Door, shift: Shift, *, way: str = "in", **body: Any) -> Any:
    """Give the code that is shown now."""
    return guest.post(f"/shifts/{shift.id}/check-{way}s", **({"code": code(guest.watch.now)} | body))


def marks(door: Door, shift: Shift) -> dict[tuple[Any, str], bytes | None]:
    rows = select(Scan.volunteer_id, Scan.way, Scan.device_mark).where(Scan.shift_id == shift.id)
    return door.put_in(lambda tx: {(row[0], row[1]): row[2] for row in tx.execute(rows)})


def test_a_mark_is_kept_with_each_scan(door: Door, shift: Shift) -> None:
    """Of what the device is called nothing is kept but that it was the same; a device that is not told has no mark."""
    first, second, third = (guest_of(door, shift) for _ in range(3))
    assert scan(first, shift, device=PHONE).status_code == 201
    assert scan(second, shift, device=None).status_code == 201
    assert scan(third, shift).status_code == 201
    door.watch.now = NOON
    assert scan(first, shift, way="out", device=TABLET).status_code == 200

    assert marks(door, shift) == {
        (first.person_id, "in"): device_mark(PHONE, secret=SECRET),
        (first.person_id, "out"): device_mark(TABLET, secret=SECRET),
        (second.person_id, "in"): None,
        (third.person_id, "in"): None,
    }


def test_a_mark_costs_no_further_statement(door: Door, shift: Shift) -> None:
    """At nine o'clock on a Saturday everybody has a device."""
    asked = []
    scan(guest_of(door, shift), shift)  # The first to come starts the shift.
    for body in ({}, {"device": PHONE}):
        guest = guest_of(door, shift)
        with counted(door.database.engine) as seen:
            assert scan(guest, shift, **body).status_code == 201
        asked.append(len(seen))
    assert asked[0] == asked[1]


def test_the_device_of_the_first_scan_stays(door: Door, shift: Shift) -> None:
    """The same code again, from elsewhere, changes nothing."""
    guest = guest_of(door, shift)
    first = scan(guest, shift, device=PHONE)
    again = scan(guest, shift, device=TABLET)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert marks(door, shift) == {(guest.person_id, "in"): device_mark(PHONE, secret=SECRET)}


@pytest.mark.parametrize("length", [LEAST_DEVICE, MOST_DEVICE])
def test_as_long_as_it_may_be(door: Door, shift: Shift, length: int) -> None:
    """To the character, at both ends."""
    assert scan(guest_of(door, shift), shift, device="~" * length).status_code == 201


@pytest.mark.parametrize(
    "device",
    [
        "", "x" * (LEAST_DEVICE - 1), "x" * (MOST_DEVICE + 1), "two words and more", PHONE + "\n", PHONE + "\x00",
        PHONE + "\x1b", PHONE + "\x7f", "小跳的手机" * 4, 1_234_567_890_123_456, [PHONE], {"id": PHONE}, True,
    ],
)  # fmt: skip
def test_what_is_no_device_is_refused(door: Door, shift: Shift, device: object) -> None:
    """At the door, without saying it back; nothing is recorded."""
    guest = guest_of(door, shift)

    answer = scan(guest, shift, device=device)

    assert refusal(answer) == (422, "invalid_input")
    assert PHONE not in answer.text
    assert marks(door, shift) == {}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_device_is_shown_nowhere(door: Door, shift: Shift, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """Not in answers, logs, facts, the trail, kept answers or the person's own data."""
    guest = guest_of(door, shift)
    guest.language = language
    headers = guest.headers() | {"Idempotency-Key": str(uuid4())}
    with written(monkeypatch) as lines:
        for given in (code(NINE), code(NINE, steps=1)):  # Right, then a second arrival.
            body = {"code": given, "device": MARKED}
            path = f"/api/activities/shifts/{shift.id}/check-ins"
            answer = guest.client.post(path, headers=headers | {"Idempotency-Key": str(uuid4())}, json=body)
            assert marked(answer.text) == []
        logged = lines()
    [mark] = [each.hex() for each in marks(door, shift).values() if each]

    assert "already_checked_in" in logged
    beside = door.put_in(lambda tx: kept_aside(tx) + _rows(tx, "audit_entry") + _rows(tx, "kept_answer"))
    own = guest.get("/volunteers/me/data").text
    for found in (logged, beside, own, door.by(Role.AUDITOR).get("/audit-entries").text):
        assert (marked(found), mark in found) == ([], False)
    assert marked(repr(Attempt(door.programme_id, shift.id, guest.person_id, code(NINE), NINE, MARKED))) == []


def _rows(tx: Session, table: str) -> str:
    return "\n".join(tx.scalars(text(f"SELECT {table}::text FROM {table}")))  # noqa: S608  One of two names above.


def test_a_stolen_photo_of_the_code(door: Door, shift: Shift) -> None:
    """Used later it has expired; used at once, for a friend who is not there, it is the thief's phone twice."""
    thief, friend = guest_of(door, shift), guest_of(door, shift)
    photo = code(NINE)
    assert scan(thief, shift, code=photo, device=PHONE).status_code == 201
    door.watch.now = NINE + timedelta(minutes=5)
    assert refusal(scan(friend, shift, code=photo, device=PHONE)) == (422, "code_expired")
    door.watch.now = NINE + timedelta(seconds=20)
    assert scan(friend, shift, code=photo, device=PHONE).status_code == 201
    door.watch.now = NOON
    for each in (thief, friend):
        assert scan(each, shift, way="out", device=PHONE).status_code == 200

    def signals(tx: Session) -> list[Incident]:
        close_shifts(tx, now=at(13), limit=100_000)
        return list(tx.scalars(select(Incident).where(Incident.shift_id == shift.id)))

    [found] = door.put_in(signals)
    assert found.kind == "fraud_signal"
    assert {str(each.person_id) in found.details for each in (thief, friend)} == {True}
    for each in (thief, friend):  # Whether it was one a person finds out.
        assert each.get(f"/shifts/{shift.id}/attendance/mine").json()["service_minutes"] > 0
