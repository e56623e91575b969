"""Every unsafe route of the ledger, and of the kit beside it, leaves an entry and can be sent again."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.ledger.main import SERVICE
from shared.bus.burial import Reason
from shared.database.sessions import Database
from shared.roles import Role
from shared.web.app import routers_of
from shared.web.routes import Route
from tests.factories.ledger import make_settled
from tests.ledger.door import Door
from tests.ledger.policies.test_api import POLICY, propose
from tests.shared.bus.dead_letters.dying import make_dead

OPERATIONS = {"propose_policy_version", "approve_policy_version", "discard_dead_letters", "request_replay"}


@pytest.fixture
def letter(database: Database, programme: UUID) -> UUID:
    return make_dead(database, make_settled(programme_id=programme), reason=Reason.REFUSED)


def entries(door: Door, **asked: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = door.get("/audit-entries", Role.AUDITOR, **asked).json()["items"]
    return items


def twice(door: Door, path: str, role: Role, **parts: Any) -> Any:
    """Send a call two times with one key; return the first answer."""
    person, key = uuid4(), {"Idempotency-Key": str(uuid4())}
    first, again = (door.post(path, role, person_id=person, headers=key, **parts) for _ in range(2))
    assert first.is_success, first.text
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    return first


def test_every_unsafe_route_is_walked() -> None:
    """The tests below are complete."""
    routes = (route for router in routers_of(SERVICE) for route in router.routes)
    assert {route.operation_id for route in routes if isinstance(route, Route) and route.is_unsafe} == OPERATIONS


def test_a_proposal_and_its_approval(door: Door) -> None:
    """Two people, two entries; the approval says from nobody to whom."""
    proposed = twice(door, "/policy-versions", Role.FINANCE, body=POLICY)
    path = f"/policy-versions/{proposed.json()['id']}"
    read = door.get(path)
    assert read.headers["etag"] == proposed.headers["etag"]
    approved = twice(door, f"{path}/approve", Role.FINANCE_APPROVER, on=read.headers["etag"])

    approval, proposal = entries(door)

    assert (proposal["operation"], proposal["counts"]) == ("propose_policy_version", {"policy_version": {"added": 1}})
    assert proposal["changes"][0]["to"]["effective"] == ["2022-01-01T00:00:00Z", None]
    assert (approval["operation"], approval["thing_id"]) == ("approve_policy_version", proposed.json()["id"])
    (change,) = approval["changes"]
    assert change["from"] == {"approver_id": None, "approved_at": None}
    assert change["to"]["approver_id"] == approved.json()["approver_id"]


def test_an_approval_rests_on_what_was_read(door: Door) -> None:
    """One who has not looked, or looked before it was approved, is refused (PITFALLS L10)."""
    proposed = propose(door)
    path = f"/policy-versions/{proposed['id']}"
    tag = door.get(path).headers["etag"]
    assert door.post(f"{path}/approve", Role.FINANCE_APPROVER, on=tag).status_code == 200

    stale = door.post(f"{path}/approve", Role.FINANCE_APPROVER, on=tag)
    blind = door.post(f"{path}/approve", Role.FINANCE_APPROVER, on=None)

    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")


def test_a_replay_is_ordered_once(door: Door, letter: UUID) -> None:
    """An order that was sent twice would try letters twice."""
    twice(door, "/replays", Role.OPS, body={"ids": [str(letter)], "why": "the policy is there"})

    (entry,) = entries(door)

    assert (entry["operation"], entry["reason"]) == ("request_replay", "the policy is there")
    assert entry["counts"] == {"replay": {"added": 1}}
    assert entry["changes"][0]["to"]["total"] == 1


def test_what_is_given_up_is_named(door: Door, letter: UUID) -> None:
    """Each letter's id leads to who gave it up."""
    twice(door, "/dead-letters/discards", Role.OPS, body={"ids": [str(letter)], "why": "never was"})

    (entry,) = entries(door, thing_id=str(letter))

    assert (entry["operation"], entry["reason"]) == ("discard_dead_letters", "never was")
    assert entry["changes"] == [
        {"thing": "dead_letter", "id": str(letter), "from": {"state": "dead"}, "to": {"state": "discarded"}}
    ]


def test_a_denied_approver_stands_in_the_trail(door: Door) -> None:
    """Who tries to approve their own proposal, too."""
    maker = uuid4()
    proposed = door.post("/policy-versions", Role.FINANCE, person_id=maker, body=POLICY).json()
    path = f"/policy-versions/{proposed['id']}/approve"
    assert door.post(path, Role.FINANCE_APPROVER, person_id=maker).status_code == 403

    entry = entries(door, outcome="denied")[0]

    assert (entry["person_id"], entry["refusal"]) == (str(maker), "own_policy_approved")
    assert (entry["thing"], entry["thing_id"]) == ("policy_version", proposed["id"])
