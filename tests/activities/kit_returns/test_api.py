from typing import Any
from uuid import uuid4

import pytest

from services.activities.kit_returns.tables import KitCost
from services.activities.kits.tables import Kit
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.kits import LOSE, make_kit, make_kit_cost

COST = {"amount_fen": 2_000, "reason": "没有寄回", "evidence_note": "发票 1 号"}
WHY = {"reason": "看过发票"}


def made(door: Door, state: str) -> Kit:
    door.watch.now = LOSE
    return door.put_in(lambda tx: make_kit(tx, state=state, programme_id=door.programme_id))


@pytest.fixture
def cost(door: Door) -> KitCost:
    door.watch.now = LOSE
    return door.put_in(lambda tx: make_kit_cost(tx, programme_id=door.programme_id))


def host_of(door: Door, thing: Kit | KitCost) -> Door:
    return door.by(Role.PARTNER, partner_id=thing.partner_id)


def test_a_lost_kit_is_paid_for_and_found(door: Door) -> None:
    """The partner gives it up, claims, an operator approves less; when it comes back nothing is owed."""
    kit = made(door, "overdue")
    host, path = host_of(door, kit), f"/kits/{kit.id}"
    assert refusal(host.post(f"{path}/lose", **WHY)) == (428, "precondition_required")
    assert refusal(host.post(f"{path}/cost", **COST)) == (409, "kit_not_lost")
    on = host.get(path).headers["etag"]
    assert host.decide(path, "lose", on=on, **WHY).json()["state"] == "lost"
    assert refusal(host.post(f"{path}/cost", **COST | {"amount_fen": 3_001})) == (422, "bad_kit_cost")

    claimed = host.post(f"{path}/cost", **COST)
    assert (claimed.status_code, claimed.json()["ceiling"]["fen"]) == (201, 3_000)
    cost = f"/kit-costs/{claimed.json()['id']}"
    on = door.get(cost).headers["etag"]
    approved = door.decide(cost, "approve", on=on, **WHY, approved_fen=1_500).json()
    assert (approved["state"], approved["approved"]) == ("approved", {"currency": "CNY", "fen": 1_500})
    assert refusal(door.decide(cost, "refuse", on=on, **WHY)) == (412, "precondition_failed")

    assert host.post(f"{path}/return", pieces=2, note="晚了一个月").json()["pieces"] == 2
    assert door.get(cost).json()["state"] == "cancelled"


def test_an_operator_gives_up_and_clears(door: Door) -> None:
    """With a reason; nobody else lifts a restriction."""
    kit = made(door, "overdue")
    path = f"/kits/{kit.id}"
    lost = door.decide(path, "lose", **WHY).json()
    assert (lost["state"], lost["lost_because"]) == ("lost", "看过发票")
    assert refusal(host_of(door, kit).decide(path, "clear", **WHY)) == (403, "missing_permission")
    cleared = door.decide(path, "clear", **WHY).json()
    assert (cleared["state"], cleared["cleared_because"]) == ("lost", "看过发票")
    assert refusal(door.decide(path, "clear", **WHY)) == (409, "kit_not_blocking")


def test_a_cost_is_refused(door: Door, cost: KitCost) -> None:
    """By an operator who is no member of the partner, whatever else they are."""
    path = f"/kit-costs/{cost.id}"
    member = door.by(Role.OPERATOR, partner_id=cost.partner_id)
    assert refusal(member.decide(path, "approve", **WHY)) == (403, "own_kit_cost")
    assert refusal(host_of(door, cost).decide(path, "approve", **WHY)) == (403, "missing_permission")
    claimant = door.by(Role.OPERATOR, person_id=cost.claimed_by)
    assert refusal(claimant.decide(path, "refuse", **WHY)) == (403, "own_kit_cost")
    assert door.decide(path, "refuse", **WHY).json()["state"] == "refused"
    assert refusal(door.decide(path, "approve", **WHY)) == (409, "kit_cost_decided")


def test_each_sees_their_own_costs(door: Door, cost: KitCost) -> None:
    """Finance and auditors all of them; volunteers none."""
    for caller in (door, host_of(door, cost), door.by(Role.FINANCE), door.by(Role.AUDITOR)):
        assert [row["id"] for row in caller.get("/kit-costs").json()["items"]] == [str(cost.id)]
        assert caller.get(f"/kit-costs/{cost.id}").json()["amount"] == {"currency": "CNY", "fen": 2_000}
    for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
        assert stranger.get("/kit-costs").json()["items"] == []
        assert refusal(stranger.get(f"/kit-costs/{cost.id}")) == (404, "not_found")
    assert refusal(door.by(Role.VOLUNTEER).get("/kit-costs")) == (403, "missing_permission")
    assert [row["id"] for row in door.get("/kit-costs", state="claimed").json()["items"]] == [str(cost.id)]


@pytest.mark.parametrize("body", [{"pieces": -1}, {"pieces": 1.5}, {"pieces": "2"}, {}, {"pieces": 10_001}])
def test_pieces_are_whole(door: Door, body: dict[str, Any]) -> None:
    """And neither negative nor a slip."""
    kit = made(door, "received")
    assert refusal(host_of(door, kit).post(f"/kits/{kit.id}/return", **body)) == (422, "invalid_input")
