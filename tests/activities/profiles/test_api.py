from typing import Any

import pytest

from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import make_skill, make_volunteer

ME = "/volunteers/me/profile"


@pytest.fixture
def person(door: Door) -> Volunteer:
    return door.put_in(
        lambda tx: make_volunteer(tx, programme_id=door.programme_id, employee_number="E1", display_name="合成甲")
    )


@pytest.fixture
def own(door: Door, person: Volunteer) -> Door:
    return door.by(Role.VOLUNTEER, person_id=person.id)


def test_a_person_says_what_they_can(door: Door, own: Door, person: Volunteer) -> None:
    """And reads it back under a new tag."""
    door.put_in(lambda tx: make_skill(tx, programme_id=door.programme_id, code="reading"))
    empty = own.get(ME)
    assert empty.json() == {
        "volunteer_id": str(person.id), "employee_number": "E1", "display_name": "合成甲", "department": None,
        "city": None, "languages": [], "skills": [], "changed_at": None,
    }  # fmt: skip

    said = own.change(ME, on=empty.headers["etag"], city="上海", languages=["zh", "en"], skills=["reading"])

    assert said.json() == empty.json() | {
        "city": "上海", "languages": ["en", "zh"], "skills": ["reading"], "changed_at": "2022-06-01T01:00:00Z",
    }  # fmt: skip
    again = own.get(ME)
    assert (again.json(), again.headers["etag"]) == (said.json(), said.headers["etag"])
    assert door.get(f"/volunteers/{person.id}/profile").json() == said.json()
    assert refusal(own.change(ME, on=empty.headers["etag"], city="北京")) == (412, "precondition_failed")


def test_an_operator_says_it_for_them_with_a_reason(door: Door, own: Door, person: Volunteer) -> None:
    """Whose doing it was stands in the trail; values do not."""
    path = f"/volunteers/{person.id}/profile"
    assert refusal(door.change(path, on="*", city="上海")) == (422, "invalid_input")
    assert door.change(path, on="*", city="上海", reason="来电").json()["city"] == "上海"
    assert own.get(ME).json()["city"] == "上海"
    [entry] = door.by(Role.AUDITOR).get("/audit-entries", operation="edit_profile").json()["items"]
    assert (entry["reason"], entry["thing_id"], entry["person_id"]) == ("来电", str(person.id), str(door.person_id))
    assert "上海" not in str(entry["changes"])


@pytest.mark.parametrize(
    "body",
    [
        {"city": ""}, {"city": "x" * 81}, {"languages": ["en"] * 11}, {"skills": ["s"] * 31}, {"department": "研发"},
        {"display_name": "合成乙"}, {"skills": "reading"}, {"city": "a\0"},
    ],
)  # fmt: skip
def test_what_is_too_long_or_not_theirs_is_refused(own: Door, body: dict[str, Any]) -> None:
    """Number, name and department come from the personnel department."""
    assert refusal(own.change(ME, on="*", **body)) == (422, "invalid_input")


def test_words_that_are_not_known_are_refused(own: Door) -> None:
    """By a code of their own each."""
    assert refusal(own.change(ME, on="*", skills=["reading"])) == (422, "unknown_skill")
    assert refusal(own.change(ME, on="*", languages=["汉语"])) == (422, "unknown_language")


def test_nobody_sees_anothers_profile_but_staff(door: Door, person: Volunteer) -> None:
    """Partners and auditors neither; another programme's staff finds nobody."""
    path = f"/volunteers/{person.id}/profile"
    for role in set(Role) - {Role.OPERATOR, Role.REVIEWER}:
        assert refusal(door.by(role).get(path)) == (403, "missing_permission")
    assert refusal(door.by(Role.REVIEWER).change(path, on="*", reason="x")) == (403, "missing_permission")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    assert refusal(door.elsewhere().change(path, on="*", reason="x")) == (404, "not_found")
    assert refusal(door.by(Role.VOLUNTEER).get(ME)) == (404, "not_found")
