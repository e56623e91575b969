from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_shift, make_sign_up

BEFORE = NINE - timedelta(days=2)
REASON = {"reason": "台风"}
TIMES = {"starts_at": "2022-06-02T01:00:00Z", "ends_at": "2022-06-02T04:00:00Z"} | REASON
DECISIONS: list[tuple[str, dict[str, Any], str]] = [
    ("go", {}, "go"), ("no-go", REASON, "no_go"), ("cancel", REASON, "cancelled"),
    ("not-run", REASON | {"code": "weather"}, "not_run"), ("reschedule", TIMES, "open"),
]  # fmt: skip


@pytest.fixture
def shift(door: Door) -> Shift:
    door.watch.now = BEFORE
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id, minimum=2))


@pytest.mark.parametrize(("how", "body", "state"), DECISIONS)
class TestDecisions:
    def test_the_host_decides_on_what_was_read(
        self, door: Door, shift: Shift, how: str, body: dict[str, Any], state: str
    ) -> None:
        """Of two on one reading the second reads again first; what was decided is shown."""
        host, path = door.by(Role.PARTNER, partner_id=shift.partner_id), f"/shifts/{shift.id}"
        read = host.get(path).headers["etag"]
        door.watch.now = NOON if how == "not-run" else BEFORE

        answer = host.decide(path, how, on=read, **body)

        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert host.get(path).json().items() >= answer.json().items()
        assert refusal(host.decide(path, how, on=read, **body)) == (412, "precondition_failed")

    def test_nobody_else_does(
        self, door: Door, shift: Shift, how: str, body: dict[str, Any], state: str
    ) -> None:  # fmt: skip
        """Another's shift looks as if it did not exist, and goes on."""
        path = f"/shifts/{shift.id}"
        for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
            assert refusal(stranger.decide(path, how, **body)) == (404, "not_found")
        for role in (Role.VOLUNTEER, Role.REVIEWER, Role.FINANCE):
            assert refusal(door.by(role).decide(path, how, **body)) == (403, "missing_permission")
        assert refusal(door.post(f"{path}/{how}", **body)) == (428, "precondition_required")
        shown = door.get(path).json()
        assert (shown["state"], shown["starts_at"], state != "") == ("open", "2022-06-01T01:00:00Z", True)

    def test_not_when_somebody_came(
        self, door: Door, shift: Shift, how: str, body: dict[str, Any], state: str
    ) -> None:  # fmt: skip
        """The shift happens."""
        door.watch.now = NOON if how == "not-run" else BEFORE
        running = door.put_in(lambda tx: make_shift(tx, programme_id=shift.programme_id, state="running"))
        assert refusal(door.decide(f"/shifts/{running.id}", how, **body)) == (409, "shift_has_attendance")
        assert state != "running"


@pytest.mark.parametrize(
    ("how", "body"),
    [
        ("cancel", {"reason": ""}), ("no-go", {}), ("not-run", REASON), ("not-run", REASON | {"code": "laziness"}),
        ("reschedule", REASON), ("reschedule", TIMES | {"starts_at": "2022-06-02T01:00"}), ("cancel", {"reason": "\0"}),
    ],
)  # fmt: skip
def test_a_reason_is_one(door: Door, shift: Shift, how: str, body: dict[str, Any]) -> None:
    """And a time says where it is."""
    assert refusal(door.decide(f"/shifts/{shift.id}", how, **body)) == (422, "invalid_input")


def test_times_that_cannot_be_are_refused(door: Door, shift: Shift) -> None:
    """As when a shift is published; the field is named."""
    answer = door.decide(f"/shifts/{shift.id}", "reschedule", **TIMES | {"ends_at": TIMES["starts_at"]})
    assert refusal(answer) == (422, "bad_shift")
    assert answer.json()["facts"]["field"] == "ends_at"


def test_after_the_start_it_is_recorded_and_not_decided(door: Door, shift: Shift) -> None:
    """And before it the other way round."""
    path = f"/shifts/{shift.id}"
    assert refusal(door.decide(path, "not-run", **REASON, code="other")) == (409, "shift_not_started")
    door.watch.now = NINE
    assert refusal(door.decide(path, "cancel", **REASON)) == (409, "shift_started")
    assert door.decide(path, "not-run", **REASON, code="nobody_came").json()["not_run"] == "nobody_came"


def test_an_activity_is_closed_and_cancelled(door: Door, shift: Shift) -> None:
    """By its host, on what was read; its sign-ups are cancelled, and nobody signs up any more."""
    place = door.put_in(lambda tx: make_sign_up(tx, tx.get_one(Shift, shift.id)))
    path = f"/listings/{shift.listing_id}"
    host = door.by(Role.PARTNER, partner_id=shift.partner_id)
    for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
        assert refusal(stranger.get(path)) == (404, "not_found")
        assert refusal(stranger.decide(path, "close")) == (404, "not_found")
        assert refusal(stranger.decide(path, "cancel", **REASON)) == (404, "not_found")
    read = host.get(path).headers["etag"]

    assert host.decide(path, "close", on=read).json()["state"] == "closed"
    assert refusal(host.decide(path, "cancel", on=read, **REASON)) == (412, "precondition_failed")
    shown = host.get(path)
    assert (shown.json()["state"], shown.json()["shifts"][0]["state"]) == ("closed", "open")

    def volunteer(tx: Session) -> Any:
        return make_sign_up(tx, make_shift(tx, programme_id=shift.programme_id), state="withdrawn").volunteer_id

    own = door.by(Role.VOLUNTEER, person_id=door.put_in(volunteer))
    assert refusal(own.post(f"/shifts/{shift.id}/sign-ups")) == (409, "shift_closed")
    assert host.decide(path, "cancel", on=shown.headers["etag"], **REASON).json()["state"] == "cancelled"
    assert refusal(host.decide(path, "close")) == (409, "listing_ended")
    assert host.get(path).json()["shifts"][0]["state"] == "cancelled"
    assert host.get(f"/sign-ups/{place.id}").json()["state"] == "cancelled_by_host"
