from typing import Any

import pytest

from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NOON, at, make_shift, make_sign_up

OWN = "/volunteers/me/reliability"


@pytest.fixture
def place(door: Door) -> SignUp:
    def make(tx: Any) -> SignUp:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id), state="no_show", ended_at=NOON)

    door.watch.now = at(20)
    return door.put_in(make)


@pytest.fixture
def own(door: Door, place: SignUp) -> Door:
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


def test_it_is_explained_line_by_line(door: Door, own: Door, place: SignUp) -> None:
    """To the person and to operators, alike."""
    seen = own.get(OWN).json()
    assert (seen["percent"], seen["half_life_days"], seen["start"]) == (66, 180, 2_000)
    assert seen["lines"] == [
        {
            "sign_up_id": str(place.id), "shift_id": str(place.shift_id), "title": "净滩",
            "ended_at": "2022-06-01T04:00:00Z", "fact": "no_show", "meaning_zh": "缺席", "meaning_en": "Did not come",
            "age_days": 0, "kept": 0, "of": 1_000, "appealed_at": None, "is_excused": False,
        }
    ]  # fmt: skip
    assert door.get(f"/volunteers/{place.volunteer_id}/reliability").json() == seen


def test_an_appeal_is_made_and_decided(door: Door, own: Door, place: SignUp) -> None:
    """On a reading; what is excused is shown and counts nothing."""
    made = own.post(f"{OWN}/appeals", sign_up_id=str(place.id), note="堵车")
    assert made.status_code == 201
    assert refusal(own.post(f"{OWN}/appeals", sign_up_id=str(place.id), note="堵车")) == (409, "appeal_made")
    path = f"/reliability-appeals/{made.json()['id']}"
    read = door.get(path)
    assert (read.json(), door.get("/reliability-appeals").json()["items"]) == (made.json(), [made.json()])

    decided = door.decide(path, "decide", on=read.headers["etag"], is_excused=True, reason="可谅解")

    assert (decided.json()["is_excused"], decided.json()["because"]) == (True, "可谅解")
    assert refusal(door.decide(path, "decide", is_excused=False, reason="x")) == (409, "appeal_decided")
    seen = own.get(OWN).json()
    assert (seen["percent"], seen["lines"][0]["of"], seen["lines"][0]["is_excused"]) == (100, 0, True)
    assert own.get("/volunteers/me/data").json()["appeals"] == [decided.json()]


def test_nobody_else_sees_it(door: Door, own: Door, place: SignUp) -> None:
    """Neither partners nor reviewers; another programme finds nobody."""
    path = f"/volunteers/{place.volunteer_id}/reliability"
    for role in set(Role) - {Role.OPERATOR}:
        assert refusal(door.by(role).get(path)) == (403, "missing_permission")
        assert refusal(door.by(role).get("/reliability-appeals")) == (403, "missing_permission")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    other = door.by(Role.VOLUNTEER, person_id=place.shift_id)
    assert refusal(other.post(f"{OWN}/appeals", sign_up_id=str(place.id), note="x")) == (404, "not_found")
    assert refusal(own.post(f"{OWN}/appeals", sign_up_id=str(place.id), note=" ")) == (422, "invalid_input")
