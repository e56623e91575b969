from typing import Any
from uuid import uuid4

import pytest

from shared import clock
from shared.roles import Role
from tests.activities.door import Door, refusal


def register(door: Door, number: str = "E1", name: str = "合成甲") -> Any:
    answer = door.post("/volunteers", employee_number=number, display_name=name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def look_up(door: Door, *numbers: str) -> Any:
    return door.post("/volunteers/lookups", employee_numbers=list(numbers))


def test_a_person_is_registered_and_found(door: Door) -> None:
    """Again returns the first record; the list is the programme's."""
    first = register(door)

    assert register(door) == first
    assert door.get("/volunteers").json() == {"items": [first], "next": None}
    assert look_up(door, "E1", "E2").json() == {"items": [first]}
    assert look_up(door, "E2").json() == {"items": []}
    assert look_up(door.elsewhere(), "E1").json() == {"items": []}
    assert door.elsewhere().get("/volunteers").json()["items"] == []
    assert first == {
        "id": first["id"],
        "employee_number": "E1", "display_name": "合成甲", "registered_at": "2022-06-01T01:00:00Z", "erased_at": None,
        "merged_into": None,
    }  # fmt: skip


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
    answer = door.client.post(
        "/api/activities/volunteers",
        content=content,
        headers=door.headers() | {"Content-Type": "application/json"},
    )
    assert refusal(answer) == (422, "invalid_input")


def test_pages_join_without_a_gap(door: Door) -> None:
    """The next page begins after the last one's end; a limit has limits."""
    made = [register(door, f"E{number}") for number in range(3)]

    first = door.get("/volunteers", limit=2).json()
    second = door.get("/volunteers", limit=2, cursor=first["next"]).json()

    assert first["items"] + second["items"] == made
    assert second["next"] is None
    for limit in (0, 201):
        assert refusal(door.get("/volunteers", limit=limit)) == (422, "invalid_input")


def test_a_search_for_what_is_no_text_finds_nobody(door: Door) -> None:
    """It breaks nothing either."""
    answer = look_up(door.by(Role.REVIEWER), "E\0")
    assert refusal(answer) == (422, "invalid_input")


class TestNames:
    def test_are_told_many_at_a_time(self, door: Door) -> None:
        """Of whom the programme knows; an id that is there twice is one person, nobody at all is no error."""
        people = [register(door, f"E{number}", f"合成{number}")["id"] for number in range(3)]
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
        person = register(door)["id"]
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


class TestMasking:
    def test_an_auditor_counts_people_without_knowing_them(self, door: Door) -> None:
        """Names and numbers are masked; ids join them with what they audit."""
        made = register(door, "E000123", "合成甲")
        [seen] = door.by(Role.AUDITOR).get("/volunteers").json()["items"]

        assert seen == made | {"employee_number": "E0***", "display_name": "合***"}
        for role in (Role.OPERATOR, Role.REVIEWER):
            assert door.by(role).get("/volunteers").json()["items"] == [made]

    def test_nor_asks_who_has_a_number(self, door: Door) -> None:
        """The answer would take the mask off."""
        register(door)
        assert refusal(look_up(door.by(Role.AUDITOR), "E1")) == (403, "missing_permission")


class TestErased:
    """A number whose person was erased (what erasing does: `personal_data`)."""

    @pytest.fixture
    def erased(self, door: Door) -> dict[str, Any]:
        made = register(door)
        volunteer = {"id": made["id"]}
        answer = door.post(f"/volunteers/{volunteer['id']}/erasure", reason="来信", confirmed=True)
        assert answer.status_code == 200, answer.text
        return volunteer

    def test_nobody_brings_them_back_unasked(self, door: Door, erased: dict[str, Any]) -> None:
        """The refusal names the field and nobody; the list shows pseudonyms."""
        answer = door.post("/volunteers", employee_number="E1", display_name="合成甲")
        assert refusal(answer) == (409, "erased_earlier")
        assert answer.json()["facts"] == {"field": "employee_number"}
        [left] = door.get("/volunteers").json()["items"]
        assert (left["id"], left["erased_at"]) == (erased["id"], "2022-06-01T01:00:00Z")
        assert left["employee_number"].startswith("erased:")
        assert look_up(door, "E1").json() == {"items": []}

    def test_who_comes_back_begins_as_somebody_new(self, door: Door, erased: dict[str, Any]) -> None:
        """Nothing joins them to what was before; from then on they are registered like anybody."""
        back = door.post("/volunteers", employee_number="E1", display_name="合成甲", comes_back=True)
        assert back.status_code == 201
        assert back.json()["id"] != erased["id"]
        assert register(door) == back.json()

    def test_the_number_is_free_elsewhere(self, door: Door, erased: dict[str, Any]) -> None:
        """The same number in another programme is another person."""
        assert door.elsewhere().post("/volunteers", employee_number="E1", display_name="合成丁").status_code == 201
        assert erased

    def test_a_pseudonym_is_nobodys_number(self, door: Door, erased: dict[str, Any]) -> None:
        """Whoever sends one in would give service to somebody who is no more."""
        answer = door.post("/volunteers", employee_number="erased:1", display_name="合成甲")
        assert refusal(answer) == (422, "reserved_number")
        [left] = door.get("/volunteers").json()["items"]
        assert refusal(look_up(door, left["employee_number"])) == (422, "invalid_input")
        assert erased
