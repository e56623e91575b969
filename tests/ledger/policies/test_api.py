from typing import Any
from uuid import uuid4

import pytest

from shared.roles import Role
from tests.ledger.door import Door, csv_rows, walked

POLICY = {
    "effective_from": "2022-01-01T00:00:00Z",
    "effective_until": None,
    "fen_per_hour": 10_000,
    "step_minutes": 30,
    "min_minutes": 30,
    "max_minutes": 480,
}


def propose(door: Door, **overrides: Any) -> Any:
    answer = door.post("/policy-versions", Role.FINANCE, body=POLICY | overrides)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_two_people_put_a_policy_in_force(door: Door) -> None:
    """What was proposed is what is shown, before and after approval."""
    proposed, approver = propose(door), uuid4()
    assert proposed["approver_id"] is None

    answer = door.post(f"/policy-versions/{proposed['id']}/approve", Role.FINANCE_APPROVER, person_id=approver)

    assert answer.status_code == 200
    assert answer.json()["approver_id"] == str(approver)
    assert {name: answer.json()[name] for name in POLICY} == POLICY
    assert door.get("/policy-versions", Role.FUNDER).json() == {"items": [answer.json()], "next": None}


def test_the_maker_may_not_approve(door: Door) -> None:
    """One person with both roles is still one person."""
    maker = uuid4()
    proposed = door.post("/policy-versions", Role.FINANCE, person_id=maker, body=POLICY).json()

    answer = door.post(f"/policy-versions/{proposed['id']}/approve", Role.FINANCE_APPROVER, person_id=maker)

    assert (answer.status_code, answer.json()["code"]) == (403, "own_policy_approved")


def test_an_overlap_is_refused_by_name(door: Door) -> None:
    """The approver learns which version is in the way."""
    first, second = propose(door), propose(door, effective_from="2022-06-01T00:00:00Z")
    door.post(f"/policy-versions/{first['id']}/approve", Role.FINANCE_APPROVER)

    answer = door.post(f"/policy-versions/{second['id']}/approve", Role.FINANCE_APPROVER)

    assert (answer.status_code, answer.json()["code"]) == (409, "policy_overlap")
    assert answer.json()["facts"] == {"policy_version_id": first["id"]}


def test_an_approval_is_given_once(door: Door) -> None:
    """The second approver is told that it is done."""
    path = f"/policy-versions/{propose(door)['id']}/approve"
    door.post(path, Role.FINANCE_APPROVER)

    answer = door.post(path, Role.FINANCE_APPROVER)

    assert (answer.status_code, answer.json()["code"]) == (409, "policy_already_approved")


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"effective_until": "2022-01-01T00:00:00Z"}, "policy_period_empty"),
        ({"min_minutes": 481}, "policy_bounds_crossed"),
        ({"fen_per_hour": 0}, "invalid_input"),
        ({"step_minutes": 0}, "invalid_input"),
        ({"effective_from": "2022-13-40"}, "invalid_input"),
        ({"effective_from": "2022-01-01T00:00:00"}, "invalid_input"),
        ({"share": 50}, "invalid_input"),
    ],
)
def test_an_unusable_proposal_is_refused(door: Door, overrides: dict[str, Any], code: str) -> None:
    """Nothing half understood is written down."""
    answer = door.post("/policy-versions", Role.FINANCE, body=POLICY | overrides)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert door.get("/policy-versions").json()["items"] == []


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.PARTNER, Role.OPERATOR, Role.FINANCE_APPROVER, Role.AUDITOR])
def test_only_finance_proposes(door: Door, role: Role) -> None:
    """Who approves does not propose, who reads does neither."""
    assert door.post("/policy-versions", role, body=POLICY).json()["code"] == "missing_permission"


def test_pages_join_without_a_gap(door: Door) -> None:
    """The next page begins after the last one's end."""
    made = [propose(door)["id"] for _ in range(3)]

    first = door.get("/policy-versions", limit=2).json()
    second = door.get("/policy-versions", limit=2, cursor=first["next"]).json()

    assert [item["id"] for page in (first, second) for item in page["items"]] == made
    assert second["next"] is None


def test_programmes_do_not_see_each_other(door: Door) -> None:
    """The programme is the tenant."""
    version_id = propose(door)["id"]
    elsewhere = Door(door.client, door.issuer, uuid4())

    assert elsewhere.get("/policy-versions").json()["items"] == []
    assert elsewhere.post(f"/policy-versions/{version_id}/approve", Role.FINANCE_APPROVER).status_code == 404


def test_policy_versions_are_a_file_and_proposals_come_last(door: Door) -> None:
    """Sorted by approval, what nobody approved yet stands behind what is in force."""
    proposed, approved = propose(door, fen_per_hour=12_345)["id"], propose(door)["id"]
    door.post(f"/policy-versions/{approved}/approve", Role.FINANCE_APPROVER)

    rows = csv_rows(door.get("/policy-versions", sort="approved_at", format="csv"))
    pages = walked(door, "/policy-versions", sort="-approved_at", limit=1)

    assert [(row["Id"], row["CNY per hour"]) for row in rows] == [(approved, "100.00"), (proposed, "123.45")]
    assert [row["id"] for row in pages] == [proposed, approved]
