from typing import Any
from uuid import uuid4

import pytest

from shared import clock
from shared.roles import Role
from tests.activities.door import Door, refusal


def register(door: Door, number: str = "E1", name: str = "合成甲") -> object:
    answer = door.post("/volunteers", employee_number=number, display_name=name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_person_is_registered_and_found(door: Door) -> None:
    """Again returns the first record; the list is the programme's."""
    first = register(door)

    assert register(door) == first
    assert door.get("/volunteers").json() == {"items": [first], "next": None}
    assert door.get("/volunteers", employee_number="E1").json()["items"] == [first]
    assert door.get("/volunteers", employee_number="E2").json()["items"] == []
    assert door.elsewhere().get("/volunteers").json()["items"] == []
    assert first == {"id": first["id"], "employee_number": "E1", "display_name": "合成甲"}  # type: ignore[index]  # JSON.


def test_a_number_taken_is_refused_in_the_callers_language(door: Door) -> None:
    """Chinese unless English is preferred; the problem names the field and nobody."""
    register(door)
    for language, title in (
        ("en", "This employee number is already registered"),
        ("en-GB,zh;q=0.5", "This employee number is already registered"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "该员工编号已登记"),
        ("fr", "该员工编号已登记"),
    ):
        door.language = language
        answer = door.post("/volunteers", employee_number="E1", display_name="合成乙")
        assert refusal(answer) == (409, "employee_number_taken")
        assert answer.json()["title"] == title
        assert answer.json()["facts"] == {"field": "employee_number"}
        assert "小" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"employee_number": "E1"},
        {"employee_number": "", "display_name": "合成甲"},
        {"employee_number": "E" * 41, "display_name": "合成甲"},
        {"employee_number": "E1", "display_name": "明" * 81},
        {"employee_number": 1, "display_name": "合成甲"},
        {"employee_number": "E1\0", "display_name": "合成甲"},
        {"employee_number": "E1", "display_name": "小\0明"},
    ],
)
def test_what_cannot_be_a_record_is_refused(door: Door, body: dict[str, object]) -> None:
    """With the field that is wrong; nobody is registered."""
    answer = door.post("/volunteers", **body)
    assert refusal(answer) == (422, "invalid_input")
    assert answer.json()["errors"]
    assert door.get("/volunteers").json()["items"] == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"employee_number": "E1", "display_name": "\\ud83d"}', "\x00"])
def test_what_is_no_json_is_refused(door: Door, content: str) -> None:
    """Half a character is none."""
    answer = door.call("POST", "/volunteers", content=content)
    assert refusal(answer) == (422, "invalid_input")


def test_pages_join_without_a_gap(door: Door) -> None:
    """The next page begins after the last one's end; a limit has limits."""
    made = [register(door, f"E{number}") for number in range(3)]

    first = door.get("/volunteers", limit=2).json()
    second = door.get("/volunteers", limit=2, after=first["next"]).json()

    assert first["items"] + second["items"] == made
    assert second["next"] is None
    for limit in (0, 201):
        assert refusal(door.get("/volunteers", limit=limit)) == (422, "invalid_input")


def test_a_search_for_what_is_no_text_finds_nobody(door: Door) -> None:
    """It breaks nothing either."""
    answer = door.by(Role.REVIEWER).get("/volunteers", employee_number="E\0")
    assert refusal(answer) == (422, "invalid_input")


class TestNames:
    def test_are_told_many_at_a_time(self, door: Door) -> None:
        """Of whom the programme knows; an id that is there twice is one person, nobody at all is no error."""
        people = [register(door, f"E{number}", f"合成{number}")["id"] for number in range(3)]  # type: ignore[index]  # JSON.
        answer = door.post("/volunteers/names", ids=[*people, people[0], str(uuid4())])

        assert answer.status_code == 200
        assert answer.json() == {"names": {people[number]: f"合成{number}" for number in range(3)}}
        assert door.post("/volunteers/names", ids=[]).json() == {"names": {}}
        assert door.elsewhere().post("/volunteers/names", ids=people).json() == {"names": {}}

    @pytest.mark.parametrize("role", Role)
    def test_are_told_to_staff_and_services(self, door: Door, role: Role) -> None:
        """Partners learn names under their own rules, which are about consent."""
        answer = door.by(role).post("/volunteers/names", ids=[])
        told = {Role.OPERATOR, Role.REVIEWER, Role.SERVICE}

        assert answer.status_code == (200 if role in told else 403)

    def test_are_told_to_a_service_in_the_programme_that_it_names(self, door: Door) -> None:
        """And only there."""
        person = register(door)["id"]  # type: ignore[index]  # JSON.
        token = door.issuer.sign(own_claims(door), typ="at+jwt")
        for programme, names in ((door.programme_id, {person: "合成甲"}), (uuid4(), {})):
            headers = {"Authorization": f"Bearer {token}", "Popcandy-Programme": str(programme)}
            answer = door.client.post("/api/activities/volunteers/names", json={"ids": [person]}, headers=headers)
            assert answer.json() == {"names": names}

        answer = door.client.post(
            "/api/activities/volunteers/names", json={"ids": []}, headers={"Authorization": f"Bearer {token}"}
        )
        assert refusal(answer) == (422, "programme_needed")

    @pytest.mark.parametrize("ids", [["x"], [None], "all", None, [str(uuid4())] * 1_001])
    def test_are_asked_for_by_up_to_a_thousand_ids(self, door: Door, ids: object) -> None:
        """By nothing else, and never all of them."""
        assert refusal(door.post("/volunteers/names", ids=ids)) == (422, "invalid_input")
        assert door.post("/volunteers/names", ids=[str(uuid4())] * 1_000).status_code == 200


def own_claims(door: Door) -> dict[str, Any]:
    """Return the claims of a service's own token."""
    now, settings = int(clock.now().timestamp()), door.issuer.settings
    return {
        "iss": settings.issuer, "aud": settings.audience, "sub": "popcandy-ledger", "client_id": "popcandy-ledger",
        "iat": now, "exp": now + 60, "roles": ["service"],
    }  # fmt: skip
