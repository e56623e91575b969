from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.activities.feedback_forms import actions, queries, rules
from services.activities.feedback_forms.rules import Side
from shared.database.sessions import Database
from shared.roles import Role
from shared.seen import Seen
from tests.activities.door import Door, refusal
from tests.activities.racing import held
from tests.factories.activities import NINE, REVIEWER

FORM: dict[str, Any] = {
    "title": {"zh": "反馈", "en": "Feedback"},
    "questions": [
        {
            "key": "weather", "kind": "choice", "title": {"zh": "天气", "en": "Weather"}, "is_required": False,
            "choices": [{"key": "sun", "title": {"zh": "晴", "en": "Sun"}}],
        }
    ],
}  # fmt: skip


def test_what_ships_is_asked_until_another_is_published(door: Door) -> None:
    """The other sides' forms stay as they were, and other programmes' too."""
    first = door.get("/feedback-forms/volunteer")
    assert (first.json()["version"], first.json()["published_at"], first.headers["etag"]) == (0, None, '"0"')

    published = door.decide("/feedback-forms/volunteer", "versions", on='"0"', **FORM)

    assert published.status_code == 201
    now = door.get("/feedback-forms/volunteer")
    assert now.json() == published.json()
    assert now.headers["etag"] == published.headers["etag"] == '"1"'
    assert (now.json()["version"], now.json()["published_by"]) == (1, str(door.person_id))
    assert now.json()["questions"] == FORM["questions"]
    assert now.json()["json_schema"]["properties"]["weather"]["oneOf"] == [
        {"const": "sun", "title": "晴", "description": "Sun"}
    ]
    assert door.get("/feedback-forms/host").json()["version"] == 0
    assert door.elsewhere().get("/feedback-forms/volunteer").json() == first.json()


def test_every_version_can_be_read(door: Door) -> None:
    """Answers stay with the form that they were given to."""
    door.decide("/feedback-forms/host", "versions", on='"0"', **FORM)
    items = door.by(Role.VOLUNTEER).get("/feedback-forms").json()["items"]

    assert [(item["side"], item["version"]) for item in items] == [
        ("volunteer", 0), ("host", 0), ("host", 1), ("remark", 0)
    ]  # fmt: skip


def test_a_form_is_published_over_what_was_read(door: Door) -> None:
    """Of two who change the same version, the second looks again."""
    assert door.decide("/feedback-forms/host", "versions", on='"0"', **FORM).status_code == 201
    assert refusal(door.decide("/feedback-forms/host", "versions", on='"0"', **FORM)) == (412, "precondition_failed")
    assert refusal(door.post("/feedback-forms/host/versions", **FORM)) == (428, "precondition_required")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"questions": []}, (422, "invalid_input")),
        ({"questions": FORM["questions"] * 2}, (422, "feedback_form_unsound")),
        ({"questions": [FORM["questions"][0] | {"kind": "essay"}]}, (422, "invalid_input")),
        ({"questions": [FORM["questions"][0] | {"key": "Wetter"}]}, (422, "invalid_input")),
        ({"questions": [FORM["questions"][0] | {"choices": []}]}, (422, "feedback_form_unsound")),
        ({"title": {"zh": "反馈"}}, (422, "invalid_input")),
    ],
)
def test_what_cannot_be_asked_is_not_published(door: Door, change: Any, expected: tuple[int, str]) -> None:
    """The version before stays."""
    assert refusal(door.decide("/feedback-forms/host", "versions", **FORM | change)) == expected
    assert door.get("/feedback-forms/host").json()["version"] == 0


def test_only_operators_publish(door: Door) -> None:
    """Who answers reads."""
    for role in (Role.VOLUNTEER, Role.REVIEWER, Role.AUDITOR):
        caller = door.by(role)
        assert refusal(caller.decide("/feedback-forms/host", "versions", **FORM)) == (403, "missing_permission")
        assert caller.get("/feedback-forms/host").status_code == 200


def test_two_at_once_make_one_version(door: Door, database: Database) -> None:
    """The second finds the first's, and is told that it has changed."""

    def publish(tx: Session) -> None:
        form = rules.FORMS[Side.HOST]
        actions.publish(
            tx, form, programme_id=door.programme_id, side=Side.HOST, seen=Seen(tags=("0",)), published_by=REVIEWER,
            now=NINE,
        )  # fmt: skip

    def second() -> None:
        with database.transaction() as tx:
            publish(tx)

    with held(database, publish) as start:
        future = start(second)
    assert future.result() == "precondition_failed"
    with database.transaction() as tx:
        versions = queries.list_versions(tx, programme_id=door.programme_id, side=Side.HOST)
        assert [row.version for row in versions] == [0, 1]
