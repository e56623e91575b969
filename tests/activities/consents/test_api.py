from typing import Any
from uuid import uuid4

import pytest

from services.activities.consents import rules
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import make_volunteer

TEXT = rules.TERMS[rules.Purpose.PARTNER_ROSTER].current
GIVEN: dict[str, Any] = {"purpose": "partner_roster", "version": TEXT.version, "language": "en"}
WITHDRAWN: dict[str, Any] = {"purpose": "partner_roster"}
MINE = "/volunteers/me/consents"


@pytest.fixture
def person(door: Door) -> Volunteer:
    return door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))


@pytest.fixture
def own(door: Door, person: Volunteer) -> Door:
    return door.by(Role.VOLUNTEER, person_id=person.id)


def test_a_person_reads_decides_and_decides_otherwise(own: Door, person: Volunteer) -> None:
    """Everything is shown to them: what they read, when, and who wrote it down."""
    text, *others = own.get("/consent-texts").json()["items"]
    assert [other["purpose"] for other in others] == ["host_feedback", "kit_address"]
    assert (text["purpose"], text["version"], text["is_current"], text["holds"]) == ("partner_roster", 1, True, True)
    assert (text["zh"], text["en"], text["digest"]) == (TEXT.zh, TEXT.en, TEXT.digest)

    given = own.post(MINE, **GIVEN)
    withdrawn = own.post(f"{MINE}/withdrawals", **WITHDRAWN)

    assert (given.status_code, withdrawn.status_code) == (201, 201)
    assert given.json() == {
        "purpose": "partner_roster", "number": 1, "decision": "given", "text_version": 1, "text_digest": TEXT.digest,
        "language": "en", "recorded_by": str(person.id), "reason": None, "recorded_at": "2022-06-01T01:00:00Z",
    }  # fmt: skip
    assert own.get(MINE).json() == {"items": [given.json(), withdrawn.json()]}
    assert withdrawn.json()["decision"] == "withdrawn"


def test_staff_write_down_what_was_said_on_paper(door: Door, own: Door, person: Volunteer) -> None:
    """With the reason, which the person sees."""
    path = f"/volunteers/{person.id}/consents"
    given = door.post(path, **GIVEN, reason=" 纸质同意书，3 号夹 ")
    withdrawn = door.post(f"{path}/withdrawals", **WITHDRAWN, reason="来电")

    assert (given.status_code, withdrawn.status_code) == (201, 201)
    assert (given.json()["reason"], given.json()["recorded_by"]) == ("纸质同意书，3 号夹", str(door.person_id))
    assert own.get(MINE).json() == door.get(path).json() == {"items": [given.json(), withdrawn.json()]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": 2}, (422, "unknown_consent_text")),
        ({"version": 0}, (422, "invalid_input")),
        ({"version": 2**40}, (422, "invalid_input")),
        ({"purpose": "marketing"}, (422, "invalid_input")),
        ({"language": "fr"}, (422, "invalid_input")),
    ],
)
def test_what_nobody_was_asked_cannot_be_agreed_to(
    own: Door, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Nothing is written."""
    assert refusal(own.post(MINE, **GIVEN | change)) == expected
    assert own.get(MINE).json() == {"items": []}


@pytest.mark.parametrize("reason", ["", "  ", None, "x" * 501, "a\0"])
def test_staff_say_why(door: Door, person: Volunteer, reason: str | None) -> None:
    """Or it is not written down."""
    path = f"/volunteers/{person.id}/consents"
    assert refusal(door.post(path, **GIVEN, reason=reason)) == (422, "invalid_input")
    assert refusal(door.post(f"{path}/withdrawals", **WITHDRAWN, reason=reason)) == (422, "invalid_input")
    assert door.get(path).json() == {"items": []}


def test_each_sees_and_decides_their_own(door: Door, own: Door, person: Volunteer) -> None:
    """Nobody of another programme finds anything; a token without a person behind it neither."""
    own.post(MINE, **GIVEN)
    path = f"/volunteers/{person.id}/consents"
    for stranger in (own.elsewhere(), door.by(Role.VOLUNTEER)):
        assert refusal(stranger.get(MINE)) == (404, "not_found")
        assert refusal(stranger.post(MINE, **GIVEN)) == (404, "not_found")
        assert refusal(stranger.post(f"{MINE}/withdrawals", **WITHDRAWN)) == (404, "not_found")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    assert refusal(door.elsewhere().post(path, **GIVEN, reason="r")) == (404, "not_found")
    assert refusal(door.elsewhere().post(f"{path}/withdrawals", **WITHDRAWN, reason="r")) == (404, "not_found")
    assert refusal(own.get(path)) == (403, "missing_permission")
    assert refusal(door.get(f"/volunteers/{uuid4()}/consents")) == (404, "not_found")
    other = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
    assert door.by(Role.VOLUNTEER, person_id=other.id).get(MINE).json() == {"items": []}


def test_nothing_given_is_nothing_withdrawn(own: Door) -> None:
    """It is told, in the caller's language."""
    assert refusal(own.post(f"{MINE}/withdrawals", **WITHDRAWN)) == (409, "no_consent_given")
