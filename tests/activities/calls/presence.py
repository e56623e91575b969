"""Calls about who came, who was missed, and what has to be looked into."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.calls.call import REASON, Call, Make
from tests.activities.door import Door
from tests.factories.activities import (
    NINE,
    NOON,
    at,
    code,
    make_incident,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

CLAIMED = {
    "checked_in_at": NINE.isoformat(), "checked_out_at": NOON.isoformat(), "cause": "phone", "words": "小跳",
}  # fmt: skip
SETTLED = {"claim": {"changed": 1}, "attendance": {"settled": 1}, "shift": {"held": 1}, "sign_up": {"attended": 1}}


def check_in(door: Door) -> Call:
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    place = door.put_in(lambda tx: make_sign_up(tx, shift))
    own = door.by(Role.VOLUNTEER, person_id=place.volunteer_id)
    counts = {"attendance": {"arrived": 1}, "scan": {"added": 1}, "shift": {"started": 1}}
    return Call(own, "POST", f"/shifts/{shift.id}/check-ins", {"json": {"code": code(NINE)}}, counts)


def check_out(door: Door) -> Call:
    came = check_in(door)
    assert came.send(str(uuid4())).status_code == 201
    door.watch.now = NOON
    counts = {"attendance": {"settled": 1}, "scan": {"added": 1}, "shift": {"held": 1}}
    path = came.path.replace("check-ins", "check-outs")
    return Call(came.door, "POST", path, {"json": {"code": code(NOON)}}, counts)


def correct(door: Door) -> Call:
    door.watch.now = at(20)
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    times = {"checked_in_at": NINE.isoformat(), "checked_out_at": at(10).isoformat(), "reason": "机构更正"}
    path = f"/attendances/{record.id}/corrections"
    return Call(door, "POST", path, {"json": times}, {"attendance": {"revised": 1}}, '"1"')


def void(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    path, parts = f"/attendances/{record.id}/void", {"json": {"reason": "误报"}}
    return Call(door, "POST", path, parts, {"attendance": {"voided": 1}}, '"1"')


def attest_presence(door: Door) -> Call:
    came = check_in(door)
    shift_id = UUID(came.path.split("/")[2])
    host = door.by(Role.PARTNER, partner_id=door.put_in(lambda tx: tx.get_one(Shift, shift_id)).partner_id)
    parts = {"json": {"way": "in", "volunteer_ids": [str(came.door.person_id)]}}
    counts = {"attendance": {"arrived": 1}, "shift": {"started": 1}}
    return Call(host, "POST", f"/shifts/{shift_id}/roster-check-ins", parts, counts)


def count_guests(door: Door) -> Call:
    call = attest_presence(door)
    path = call.path.replace("roster-check-ins", "guest-count")
    return replace(call, path=path, parts={"json": {"guests": 3}}, counts={"guest_count": {"counted": 1}})


def report_incident(door: Door) -> Call:
    call = attest_presence(door)
    parts = {"json": {"kind": "safety", "details": "小跳"}}
    path = call.path.replace("roster-check-ins", "incidents")
    return replace(call, path=path, parts=parts, counts={"incident": {"added": 1}})


def record_walk_in(door: Door) -> Call:
    call = attest_presence(door)
    door.watch.now = at(14)
    door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id, employee_number="E-77"))
    times = {"checked_in_at": NINE.isoformat(), "checked_out_at": NOON.isoformat()}
    path, parts = call.path.replace("roster-check-ins", "walk-ins"), {"json": times | {"employee_number": "E-77"}}
    return replace(call, path=path, parts=parts, counts={"walk_in": {"added": 1}})


def decline_walk_in(door: Door) -> Call:
    walk_in = record_walk_in(door).send(str(uuid4())).json()
    own = door.by(Role.VOLUNTEER, person_id=UUID(walk_in["volunteer_id"]))
    return Call(own, "POST", f"/walk-ins/{walk_in['id']}/decline", {}, {"walk_in": {"changed": 1}})


def confirm_walk_in(door: Door) -> Call:
    call = decline_walk_in(door)
    counts = {
        "walk_in": {"changed": 1}, "attendance": {"settled": 1}, "shift": {"held": 1}, "sign_up": {"added": 1},
    }  # fmt: skip
    return replace(call, path=call.path.replace("decline", "confirm"), counts=counts)


def missed(door: Door) -> SignUp:
    """Close a shift on which somebody was missed."""
    door.watch.now = at(14)

    def make(tx: Any) -> SignUp:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id, concluded_at=at(13)), state="missed")

    return door.put_in(make)


def mark_no_shows(door: Door) -> Call:
    place = missed(door)
    parts = {"json": REASON | {"volunteer_ids": [str(place.volunteer_id)]}}
    return Call(
        door.by(Role.REVIEWER), "POST", f"/shifts/{place.shift_id}/no-shows", parts, {"sign_up": {"no_show": 1}}
    )


def claim_attendance(door: Door) -> Call:
    place = missed(door)
    own = door.by(Role.VOLUNTEER, person_id=place.volunteer_id)
    return Call(own, "POST", f"/shifts/{place.shift_id}/claims", {"json": CLAIMED}, {"claim": {"added": 1}})


def claim_for_others(door: Door) -> Call:
    place = missed(door)
    host = door.by(Role.PARTNER, partner_id=door.put_in(lambda tx: tx.get_one(Shift, place.shift_id)).partner_id)
    parts = {"json": {"items": [CLAIMED | {"volunteer_id": str(place.volunteer_id)}]}}
    return Call(host, "POST", f"/shifts/{place.shift_id}/partner-claims", parts, {"claim": {"added": 1}})


def claimed(door: Door) -> tuple[Door, str]:
    """Let a volunteer claim; return the partner who is asked, and the claim's path."""
    call = claim_attendance(door)
    claim = call.send(str(uuid4())).json()
    return door.by(Role.PARTNER, partner_id=UUID(claim["partner_id"])), f"/claims/{claim['id']}"


def confirm_claim(door: Door) -> Call:
    host, path = claimed(door)
    return Call(host, "POST", f"{path}/confirm", {}, SETTLED)


def object_to_claim(door: Door) -> Call:
    host, path = claimed(door)
    return Call(host, "POST", f"{path}/object", {"json": REASON}, {"claim": {"changed": 1}})


def reject_claim(door: Door) -> Call:
    call = object_to_claim(door)
    assert call.send(str(uuid4())).is_success
    path, on = call.path.replace("object", "reject"), call.door.get(call.path.removesuffix("/object")).headers["etag"]
    return Call(door.by(Role.REVIEWER), "POST", path, call.parts, call.counts, on)


def uphold_claim(door: Door) -> Call:
    call = reject_claim(door)
    return replace(call, path=call.path.replace("reject", "uphold"), counts=SETTLED)


def appeal_claim(door: Door) -> Call:
    call = reject_claim(door)
    answer = call.send(str(uuid4())).json()
    own = door.by(Role.VOLUNTEER, person_id=UUID(answer["volunteer_id"]))
    return Call(own, "POST", call.path.replace("reject", "appeal"), call.parts, call.counts)


def complained(door: Door) -> tuple[str, str]:
    """Put an incident in; return its path and its tag."""
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    path = f"/incidents/{door.put_in(lambda tx: make_incident(tx, shift=shift)).id}"
    return path, door.get(path).headers["etag"]


def open_incident(door: Door) -> Call:
    body = {"kind": "other", "subject_type": "kit", "subject_id": str(uuid4()), "details": "小跳"}
    return Call(door, "POST", "/incidents", {"json": body}, {"incident": {"added": 1}})


def note_incident(door: Door) -> Call:
    parts = {"json": {"text": "小跳"}}
    return Call(door, "POST", f"{complained(door)[0]}/notes", parts, {"incident_note": {"added": 1}})


def assign_incident(door: Door) -> Call:
    (path, on), parts = complained(door), {"json": {"owner_id": str(uuid4())}}
    return Call(door, "POST", f"{path}/assign", parts, {"incident": {"changed": 1}}, on)


def share_incident(door: Door) -> Call:
    path, on = complained(door)
    return Call(door, "POST", f"{path}/share", {}, {"incident": {"changed": 1}}, on)


def resolve_incident(door: Door) -> Call:
    call = assign_incident(door)
    assert call.send(str(uuid4())).is_success
    path = call.path.removesuffix("/assign")
    return Call(door, "POST", f"{path}/resolve", {"json": REASON}, call.counts, door.get(path).headers["etag"])


def dismiss_incident(door: Door) -> Call:
    call = resolve_incident(door)
    return replace(call, path=call.path.replace("/resolve", "/dismiss"))


CALLS: dict[str, Make] = {
    "check_in": check_in,
    "check_out": check_out,
    "correct_attendance": correct,
    "void_attendance": void,
    "mark_no_shows": mark_no_shows,
    "claim_attendance": claim_attendance,
    "claim_for_others": claim_for_others,
    "confirm_claim": confirm_claim,
    "object_to_claim": object_to_claim,
    "appeal_claim": appeal_claim,
    "uphold_claim": uphold_claim,
    "reject_claim": reject_claim,
    "attest_presence": attest_presence,
    "count_guests": count_guests,
    "record_walk_in": record_walk_in,
    "confirm_walk_in": confirm_walk_in,
    "decline_walk_in": decline_walk_in,
    "report_incident": report_incident,
    "open_incident": open_incident,
    "note_incident": note_incident,
    "assign_incident": assign_incident,
    "share_incident": share_incident,
    "resolve_incident": resolve_incident,
    "dismiss_incident": dismiss_incident,
}
