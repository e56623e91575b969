from typing import Any

import pytest

from tests.activities.door import Door, refusal


def search(door: Door, *numbers: Any) -> Any:
    return door.post("/volunteers/search", employee_numbers=list(numbers))


def register(door: Door, number: str = "E1", name: str = "合成甲") -> Any:
    answer = door.post("/volunteers", employee_number=number, display_name=name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_person_is_registered_and_found(door: Door) -> None:
    """Again returns the first record; the list is the programme's."""
    first = register(door)

    assert register(door) == first
    assert door.get("/volunteers").json() == {"items": [first], "next": None}
    assert door.elsewhere().get("/volunteers").json()["items"] == []
    assert first == {
        "id": first["id"], "employee_number": "E1", "display_name": "合成甲", "registered_at": "2022-06-01T01:00:00Z"
    }  # fmt: skip


def test_people_are_looked_up_by_number_in_a_body(door: Door) -> None:
    """No employee number stands in an address; who is not there, or elsewhere, is left out."""
    first, second = register(door), register(door, "E2", "合成乙")

    assert search(door, "E2", "E1", "E3", "E1").json() == {"items": [first, second]}
    assert search(door.elsewhere(), "E1").json() == {"items": []}
    assert refusal(door.get("/volunteers", employee_number="E1")) == (422, "invalid_input")


@pytest.mark.parametrize("numbers", [[], ["E\0"], [""], ["E" * 41], [f"E{number}" for number in range(201)], [1]])
def test_a_search_for_what_is_no_number_is_refused(door: Door, numbers: list[Any]) -> None:
    """Without looking."""
    assert refusal(search(door, *numbers)) == (422, "invalid_input")


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
    second = door.get("/volunteers", limit=2, cursor=first["next"]).json()

    assert first["items"] + second["items"] == made
    assert second["next"] is None
    for limit in (0, 201):
        assert refusal(door.get("/volunteers", limit=limit)) == (422, "invalid_input")
