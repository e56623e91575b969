from typing import Any

import pytest

from shared.roles import Role
from tests.activities.door import Door, refusal

READING = {"title_zh": "朗读", "title_en": "Reading"}


def put(door: Door, code: str, **headers: str) -> Any:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.client.put(f"/api/activities/skills/{code}", json=READING, headers=door.headers() | more)


def test_a_skill_is_kept_and_seen_by_all_who_choose(door: Door) -> None:
    """Under its code; another programme has a catalogue of its own."""
    made = put(door, "reading", if_none_match="*")
    assert (made.status_code, made.json()) == (200, READING | {"code": "reading", "retired_at": None})

    for role in (Role.VOLUNTEER, Role.PARTNER, Role.REVIEWER):
        assert door.by(role).get("/skills").json() == {"items": [made.json()]}
    answer = door.get("/skills/reading")
    assert (answer.json(), answer.headers["etag"]) == (made.json(), made.headers["etag"])
    assert door.elsewhere().get("/skills").json() == {"items": []}
    assert refusal(door.elsewhere().get("/skills/reading")) == (404, "not_found")


def test_what_is_there_is_changed_on_a_reading(door: Door) -> None:
    """Of how it stands now."""
    tag = put(door, "reading", if_none_match="*").headers["etag"]
    assert refusal(put(door, "reading")) == (428, "precondition_required")
    assert refusal(put(door, "reading", if_none_match="*")) == (412, "precondition_failed")
    assert put(door, "reading", if_match=tag).status_code == 200


@pytest.mark.parametrize("code", ["Reading", "朗读", "-x", "a" * 41, "a_b"])
def test_a_code_is_short_and_plain(door: Door, code: str) -> None:
    """Sheets write it, and so do people."""
    assert refusal(put(door, code, if_none_match="*")) == (422, "invalid_input")


def test_operators_alone_keep_the_catalogue(door: Door) -> None:
    """Whoever else may read it."""
    for role in (Role.VOLUNTEER, Role.REVIEWER, Role.PARTNER):
        assert refusal(put(door.by(role), "reading", if_none_match="*")) == (403, "missing_permission")
