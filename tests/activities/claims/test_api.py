from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, at, make_shift, make_sign_up

CLAIM = {"checked_in_at": NINE.isoformat(), "checked_out_at": NOON.isoformat(), "cause": "phone", "words": "手机没电"}
JUNE = {"since": "2022-06-01", "until": "2022-07-01"}
NO = {"reason": "没有看到"}


@pytest.fixture
def place(door: Door) -> SignUp:
    door.watch.now = at(14)

    def make(tx: Any) -> SignUp:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id, concluded_at=at(13)), state="missed")

    return door.put_in(make)


@pytest.fixture
def own(door: Door, place: SignUp) -> Door:
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


@pytest.fixture
def host(door: Door, place: SignUp) -> Door:
    return door.by(Role.PARTNER, partner_id=door.put_in(lambda tx: tx.get_one(Shift, place.shift_id)).partner_id)


@pytest.fixture
def claim(own: Door, place: SignUp) -> dict[str, Any]:
    answer = own.post(f"/shifts/{place.shift_id}/claims", **CLAIM)
    assert answer.status_code == 201
    shown: dict[str, Any] = answer.json()
    return shown


def path_of(claim: dict[str, Any]) -> str:
    return f"/claims/{claim['id']}"


def test_one_tap_settles_a_claim(own: Door, host: Door, place: SignUp, claim: dict[str, Any]) -> None:
    """The volunteer claims, the partner confirms, the hours count; each tap may be doubled."""
    assert (claim["state"], claim["answer_until"], claim["decide_until"]) == (
        "open", "2022-06-08T16:00:00Z", "2022-06-10T16:00:00Z",
    )  # fmt: skip
    assert own.post(f"/shifts/{place.shift_id}/claims", **CLAIM).json()["id"] == claim["id"]
    assert refusal(own.post(f"{path_of(claim)}/confirm")) == (403, "own_claim")

    for _ in range(2):
        assert host.post(f"{path_of(claim)}/confirm").json()["state"] == "confirmed"

    assert own.get(f"/shifts/{place.shift_id}/attendance/mine").json()["service_minutes"] == 180


def test_a_partner_claims_in_bulk(door: Door, host: Door, own: Door, place: SignUp) -> None:
    """Each line has its own outcome; the volunteer confirms."""
    items = [CLAIM | {"volunteer_id": str(who)} for who in (place.volunteer_id, uuid4())]

    answer = host.post(f"/shifts/{place.shift_id}/partner-claims", items=items)

    assert answer.status_code == 201
    done, refused = answer.json()["items"]
    assert (done["refused"], refused["claim"], refused["refused"]) == (None, None, "not_signed_up")
    assert own.post(f"{path_of(done['claim'])}/confirm").json()["state"] == "confirmed"
    too_many = host.post(f"/shifts/{place.shift_id}/partner-claims", items=items * 101)
    assert refusal(too_many) == (422, "invalid_input")
    stranger = door.by(Role.PARTNER, partner_id=uuid4())
    assert refusal(stranger.post(f"/shifts/{place.shift_id}/partner-claims", items=items)) == (404, "not_found")


def test_an_objection_is_decided_and_appealed(door: Door, own: Door, host: Door, claim: dict[str, Any]) -> None:
    """By a reviewer, then by another one; the queue shows what waits."""
    path, first, second = path_of(claim), door.by(Role.REVIEWER), door.by(Role.REVIEWER)
    assert host.post(f"{path}/object", **NO).json()["objection"] == "没有看到"
    assert [row["id"] for row in door.get("/claims", review="objected").json()["items"]] == [claim["id"]]
    assert refusal(first.post(f"{path}/reject", **NO)) == (428, "precondition_required")
    assert refusal(door.decide(path, "reject", **NO)) == (403, "missing_permission")  # An operator.

    assert first.decide(path, "reject", on=first.get(path).headers["etag"], **NO).json()["state"] == "rejected"
    assert own.post(f"{path}/appeal", reason="有照片").json()["review"] == "appeal"
    assert refusal(own.post(f"{path}/appeal", reason="有照片")) == (409, "appealed_once")
    assert refusal(first.decide(path, "uphold", reason="看过照片")) == (403, "same_reviewer")
    upheld = second.decide(path, "uphold", reason="看过照片").json()

    assert (upheld["state"], upheld["review"], upheld["decision_reason"]) == ("upheld", None, "看过照片")
    assert refusal(host.post(f"{path}/object", **NO)) == (409, "claim_settled")


def test_each_sees_their_own(door: Door, own: Door, host: Door, claim: dict[str, Any]) -> None:
    """Staff sees all; another partner, volunteer or programme nothing."""
    for caller in (door, own, host):
        assert caller.get(path_of(claim)).json()["id"] == claim["id"]
        assert [row["id"] for row in caller.get("/claims").json()["items"]] == [claim["id"]]
    for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.by(Role.VOLUNTEER), door.elsewhere()):
        assert refusal(stranger.get(path_of(claim))) == (404, "not_found")
        assert stranger.get("/claims").json()["items"] == []


def test_what_comes_too_late_is_refused(own: Door, claim: dict[str, Any], host: Door) -> None:
    """By rule, whether or not the timer has run."""
    own.watch.now = NOON + timedelta(days=30)
    assert refusal(host.post(f"{path_of(claim)}/confirm")) == (409, "claim_too_late")


def test_reviewers_see_what_becomes_of_what_was_missed(door: Door, host: Door, claim: dict[str, Any]) -> None:
    """And how much a partner proves otherwise than by scans; a partner sees its own."""
    assert host.post(f"{path_of(claim)}/confirm").status_code == 200
    recovery = {
        "partner_id": claim["partner_id"], "missed": 1, "recovered": 1, "settled_otherwise": 0, "rejected": 0,
        "expired": 0, "open": 0, "unclaimed": 0,
    }  # fmt: skip
    evidence = {"partner_id": claim["partner_id"], "month": "2022-06-01", "minutes": 180, "below_minutes": 180}
    for caller in (door, host):
        assert caller.get("/claims/recovery", **JUNE).json() == JUNE | {"items": [recovery]}
        assert caller.get("/claims/evidence", **JUNE).json() == JUNE | {"items": [evidence]}
    assert door.by(Role.PARTNER, partner_id=uuid4()).get("/claims/recovery", **JUNE).json()["items"] == []
