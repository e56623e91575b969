"""Calls about work that is handed in, and kits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.activities.kits.tables import Kit
from services.activities.listings.tables import Shift
from shared.roles import Role
from tests.activities.calls.call import REASON, Call, Make
from tests.activities.door import Door
from tests.factories.activities import (
    NINE,
    NOON,
    make_sign_up,
)
from tests.factories.deliverables import PDF, make_deliverable, make_submitted
from tests.factories.kits import consent as consent_to_address
from tests.factories.kits import make_address, make_craft_shift, make_kit, make_kit_cost

KIT_CHANGED = {"kit": {"changed": 1}}
ARRIVED = KIT_CHANGED | {"kit_address": {"removed": 1}}
HOME = {"recipient": "小跳", "phone": "13800000000", "postal_address": "小跳家 1 号"}
COST = {"amount_fen": 2_000, "reason": "没有寄回", "evidence_note": "小跳"}
ANSWERED_WORK = {"deliverable": {"changed": 1}, "deliverable_submission": {"changed": 1}}
ACCEPTED = ANSWERED_WORK | {"attendance": {"settled": 1}, "shift": {"held": 1}, "sign_up": {"attended": 1}}


def hand_in_work(door: Door) -> Call:
    row = door.put_in(lambda tx: make_deliverable(tx, programme_id=door.programme_id))
    own = door.by(Role.VOLUNTEER, person_id=row.volunteer_id)
    parts = {"files": {"files": ("小跳.pdf", PDF)}, "data": {"pieces": "2", "note": "小跳"}}
    counts = {"deliverable": {"changed": 1}, "deliverable_submission": {"added": 1}, "work_file": {"added": 1}}
    return Call(own, "POST", f"/deliverables/{row.id}/submissions", parts, counts)


def of_work(how: str, body: dict[str, Any], counts: dict[str, dict[str, int]]) -> Make:
    """Let the partner decide about work that was handed in."""

    def call(door: Door) -> Call:
        row = door.put_in(lambda tx: make_submitted(tx, programme_id=door.programme_id))
        host, path = door.by(Role.PARTNER, partner_id=row.partner_id), f"/deliverables/{row.id}"
        return Call(host, "POST", f"{path}/{how}", {"json": body}, counts, host.get(path).headers["etag"])

    return call


def accept_many_works(door: Door) -> Call:
    call = of_work("accept", {}, ACCEPTED)(door)
    item = {"deliverable_id": call.path.split("/")[2], "submission": 1}
    return replace(call, path="/deliverable-acceptances", parts={"json": {"items": [item]}}, on=None)


def issue_kits(door: Door) -> Call:
    door.watch.now = NINE - timedelta(days=1)
    place = door.put_in(lambda tx: make_sign_up(tx, make_craft_shift(tx, programme_id=door.programme_id)))
    shift = door.put_in(lambda tx: tx.get_one(Shift, place.shift_id))
    host, body = door.by(Role.PARTNER, partner_id=shift.partner_id), {"volunteer_ids": [str(place.volunteer_id)]}
    return Call(host, "POST", f"/shifts/{shift.id}/kits", {"json": body}, {"kit": {"added": 1}})


def of_kit(
    how: str, role: Role, *, state: str, counts: dict[str, dict[str, int]] | None = None, body: Any = None,
    decides: bool = False, addressed: bool = False,
) -> Make:  # fmt: skip
    """Make a call about a kit in a state, as one of its person, its partner and an operator."""

    def call(door: Door) -> Call:
        door.watch.now = NOON

        def make(tx: Any) -> Kit:
            kit = make_kit(tx, state=state, programme_id=door.programme_id)
            if addressed:
                make_address(tx, kit, recipient="小跳")
            consent_to_address(tx, kit)
            return kit

        kit = door.put_in(make)
        persons = {Role.VOLUNTEER: {"person_id": kit.volunteer_id}, Role.PARTNER: {"partner_id": kit.partner_id}}
        who = door.by(role, **persons.get(role, {}))
        path = f"/kits/{kit.id}"
        on = door.get(path).headers["etag"] if decides else None
        return Call(who, "POST", f"{path}/{how}", {"json": body} if body else {}, counts or KIT_CHANGED, on)

    return call


def ship_kits(door: Door) -> Call:
    call = of_kit("", Role.PARTNER, state="issued", addressed=True)(door)
    kit_id = call.path.split("/")[2]
    shift_id = door.get(f"/kits/{kit_id}").json()["shift_id"]
    body = {"items": [{"kit_id": kit_id, "carrier": "小跳", "tracking_number": "E-77"}]}
    return replace(call, path=f"/shifts/{shift_id}/kit-shipments", parts={"json": body})


def of_kit_cost(how: str) -> Make:
    """Make a decision about what a partner claims for a lost kit."""

    def call(door: Door) -> Call:
        cost = door.put_in(lambda tx: make_kit_cost(tx, programme_id=door.programme_id, reason="小跳"))
        path = f"/kit-costs/{cost.id}"
        on = door.get(path).headers["etag"]
        return Call(door, "POST", f"{path}/{how}", {"json": REASON}, {"kit_cost": {"changed": 1}}, on)

    return call


CALLS: dict[str, Make] = {
    "submit_deliverable": hand_in_work,
    "accept_deliverable": of_work("accept", {}, ACCEPTED),
    "accept_deliverables": accept_many_works,
    "reject_deliverable": of_work("reject", REASON, ANSWERED_WORK | {"sign_up": {"attended": 1}}),
    "request_deliverable_revision": of_work("request-revision", REASON, ANSWERED_WORK),
    "issue_kits": issue_kits,
    "ship_kits": ship_kits,
    "give_kit_address": of_kit(
        "address", Role.VOLUNTEER, state="issued", body=HOME, counts={"kit_address": {"added": 1}}
    ),
    "confirm_kit_receipt": of_kit("receive", Role.VOLUNTEER, state="shipped", addressed=True, counts=ARRIVED),
    "record_kit_receipt": of_kit("record-receipt", Role.PARTNER, state="shipped", body={"evidence_note": "小跳"}),
    "cancel_kit": of_kit("cancel", Role.PARTNER, state="issued", addressed=True, counts=ARRIVED),
    "return_kit": of_kit("return", Role.PARTNER, state="received", body={"pieces": 2, "note": "小跳"}),
    "lose_kit": of_kit("lose", Role.OPERATOR, state="overdue", body={"reason": "联系不上"}, decides=True),
    "clear_kit": of_kit("clear", Role.OPERATOR, state="lost", body={"reason": "找不到"}, decides=True),
    "claim_kit_cost": of_kit("cost", Role.PARTNER, state="lost", body=COST, counts={"kit_cost": {"added": 1}}),
    "approve_kit_cost": of_kit_cost("approve"),
    "refuse_kit_cost": of_kit_cost("refuse"),
}
