from typing import Any

import pytest

from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import make_volunteer

MAY = {"since": "2022-05-01", "until": "2022-06-01"}


@pytest.fixture
def person(door: Door) -> Volunteer:
    return door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))


def test_an_operator_says_when_somebody_is_employed(door: Door, person: Volunteer) -> None:
    """On a reading, with a reason; reviewers see it."""
    path = f"/volunteers/{person.id}/eligibility"
    empty = door.by(Role.REVIEWER).get(path)
    assert empty.json() == {
        "volunteer_id": str(person.id), "intervals": [], "reason": None, "recorded_by": None, "recorded_at": None,
    }  # fmt: skip

    said = door.change(path, on=empty.headers["etag"], intervals=[{"since": "2022-07-01"}, MAY], reason="人事来函")

    assert said.json() == {
        "volunteer_id": str(person.id), "intervals": [MAY, {"since": "2022-07-01", "until": None}],
        "reason": "人事来函", "recorded_by": str(door.person_id), "recorded_at": "2022-06-01T01:00:00Z",
    }  # fmt: skip
    assert door.get(path).json() == said.json()
    again = door.change(path, on=empty.headers["etag"], intervals=[], reason="x")
    assert refusal(again) == (412, "precondition_failed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"intervals": [MAY]}, "invalid_input"),
        ({"intervals": [MAY], "reason": " "}, "invalid_input"),
        ({"reason": "x"}, "invalid_input"),
        ({"intervals": [{"since": "1.5.2022"}], "reason": "x"}, "invalid_input"),
        ({"intervals": [MAY] * 21, "reason": "x"}, "invalid_input"),
        ({"intervals": [MAY, MAY], "reason": "x"}, "bad_intervals"),
        ({"intervals": [{"since": "2022-05-01", "until": "2022-05-01"}], "reason": "x"}, "bad_intervals"),
    ],
)
def test_what_cannot_be_is_refused(door: Door, person: Volunteer, body: dict[str, Any], code: str) -> None:
    """With the field that is wrong."""
    assert refusal(door.change(f"/volunteers/{person.id}/eligibility", on="*", **body)) == (422, code)


def test_nobody_else_says_or_sees_it(door: Door, person: Volunteer) -> None:
    """The person sees it among all that is known of them."""
    path = f"/volunteers/{person.id}/eligibility"
    for role in set(Role) - {Role.OPERATOR}:
        denied = door.by(role).change(path, on="*", intervals=[], reason="x")
        assert refusal(denied) == (403, "missing_permission")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    door.change(path, on="*", intervals=[MAY], reason="人事来函")
    own = door.by(Role.VOLUNTEER, person_id=person.id).get("/volunteers/me/data").json()["eligibility"]
    assert (own["intervals"], own["reason"]) == ([MAY], "人事来函")
