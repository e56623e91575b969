"""Every unsafe route of activities leaves one entry that says what it did, and can be sent again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.activities.kits.tables import Kit
from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from services.activities.proposals.rules import State
from services.activities.reviews.rules import HANDBOOK
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from shared.audit.trail import HIDDEN
from shared.ids import new_id
from shared.roles import Role
from shared.web.routes import Route
from tests.activities.door import Door
from tests.activities.sheets import commit_by_id, sheet
from tests.activities.sheets import stage as stage_sheet
from tests.factories.activities import (
    NINE,
    NOON,
    REVIEWER,
    at,
    code,
    make_appeal,
    make_incident,
    make_merge,
    make_partner,
    make_round,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)
from tests.factories.certificates import make_issuer
from tests.factories.deliverables import PDF, make_deliverable, make_submitted
from tests.factories.kits import consent as consent_to_address
from tests.factories.kits import make_address, make_craft_shift, make_kit, make_kit_cost
from tests.factories.proposals import make_proposal

KEPT = text("SELECT operation FROM kept_answer WHERE key = :key")
THINGS = {
    "shift", "attendance", "sheet_import", "import", "volunteer", "partner", "listing", "sign_up", "consent",
    "personal_data_access", "round", "round_calendar", "proposal", "proposal_comment", "proposal_decision",
    "deliverable", "deliverable_submission", "incident", "claim", "walk_in", "guest_count", "feedback_form", "feedback",
    "certificate", "certificate_issuer", "kit", "kit_cost", "skill", "profile", "eligibility", "merge",
    "reliability_appeal", "appeal",
}  # fmt: skip
PERSONAL = ("小跳", "E-77", "GEZDGNBVGY3TQOJQ")


@dataclass
class Call:
    """A call that succeeds, and how its entry's counts must be."""

    door: Door
    method: str
    path: str
    parts: dict[str, Any]
    counts: dict[str, dict[str, int]]
    on: str | None = None

    def send(self, key: str) -> Any:
        headers = self.door.headers() | {"Idempotency-Key": key} | ({"If-Match": self.on} if self.on else {})
        return self.door.client.request(self.method, f"/api/activities{self.path}", headers=headers, **self.parts)


Make = Callable[[Door], Call]


def register(door: Door) -> Call:
    person = {"employee_number": "E-77", "display_name": "小跳"}
    return Call(door, "POST", "/volunteers", {"json": person}, {"volunteer": {"added": 1}})


def record(door: Door) -> Call:
    facts = {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}
    return Call(door, "PUT", "/partners/P1", {"json": facts}, {"partner": {"added": 1}})


def set_calendar(door: Door) -> Call:
    moment = {"weekday": 1, "time": "09:00"}
    moments = dict.fromkeys(("opens", "closes", "review", "publish"), moment)
    body = moments | {"timezone": "Asia/Shanghai", "weeks_ahead": 2, "target": 60}
    counts = {"round_calendar": {"added": 1}, "round": {"added": 2}}
    return Call(door, "PUT", "/round-calendar", {"json": body}, counts)


def plan(door: Door) -> Call:
    times = {"opens_at": NINE, "closes_at": NOON, "review_by": NOON, "publish_at": NOON}
    body = {name: at.isoformat() for name, at in times.items()} | {"target": 60}
    return Call(door, "POST", "/rounds", {"json": body}, {"round": {"added": 1}})


def planned(door: Door, how: str, body: dict[str, str], **values: Any) -> Call:
    made = door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id, **values))
    on = door.get(f"/rounds/{made.id}").headers["etag"]
    parts = {"json": body | REASON}
    return Call(door, "POST", f"/rounds/{made.id}/{how}", parts, {"round": {"changed": 1}}, on)


def move(door: Door) -> Call:
    times = {"opens_at": at(11), "closes_at": at(12), "review_by": at(13), "publish_at": at(14)}
    return planned(door, "move", {name: each.isoformat() for name, each in times.items()}, opens_at=at(10))


def extend(door: Door) -> Call:
    return planned(door, "extend", {"closes_at": "2022-06-05T00:00:00Z"}, state="open")


def call_off(door: Door) -> Call:
    return planned(door, "cancel", {}, opens_at=at(10))


def proposed(door: Door, state: State, how: str, body: Any, counts: dict[str, Any], *, adds: bool = False) -> Call:
    """Call a door below a proposal that stands somewhere, as who may: its tag is sent unless the call adds."""
    proposal = door.put_in(lambda tx: make_proposal(tx, state=state, programme_id=door.programme_id))
    reviewing = state is State.IN_REVIEW or how == "claim"
    who = door.by(Role.REVIEWER, person_id=REVIEWER) if reviewing else door
    path = f"/proposals/{proposal.id}"
    on = None if adds else door.get(path).headers["etag"]
    method = "POST" if how else "PUT"
    return Call(who, method, f"{path}/{how}" if how else path, {"json": body}, counts, on)


def draft(door: Door) -> Call:
    call = door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id))
    partner = door.put_in(lambda tx: make_partner(tx, programme_id=door.programme_id))
    body = {"partner_id": str(partner.id), "round_id": str(call.id), "content": CONTENT}
    return Call(door, "POST", "/proposals", {"json": body}, {"proposal": {"added": 1}})


def edit(door: Door) -> Call:
    return proposed(door, State.DRAFT, "", CONTENT, {"proposal": {"changed": 1}})


def submit(door: Door) -> Call:
    counts = {"proposal": {"changed": 1}, "proposal_version": {"added": 1}}
    return proposed(door, State.DRAFT, "submissions", {}, counts)


def give_up(door: Door) -> Call:
    return proposed(door, State.DRAFT, "withdrawal", REASON, {"proposal": {"changed": 1}})


def clone(door: Door) -> Call:
    counts = {"proposal": {"added": 1}}
    call = proposed(door, State.SUBMITTED, "clones", {}, counts, adds=True)
    call.parts["json"] = {"round_id": door.get("/proposals").json()["items"][0]["round_id"]}
    return call


def claim(door: Door) -> Call:
    return proposed(door, State.SUBMITTED, "claim", {}, {"proposal": {"changed": 1}}, adds=True)


def release(door: Door) -> Call:
    return proposed(door, State.IN_REVIEW, "release", {}, {"proposal": {"changed": 1}}, adds=True)


def send_back(door: Door) -> Call:
    body = {"note": "小跳", "requests": [{"field": "risks", "note": "小跳"}]}
    return proposed(door, State.IN_REVIEW, "change-requests", body, DECIDED)


def approve(door: Door) -> Call:
    return proposed(door, State.IN_REVIEW, "approval", {"answers": ANSWERS}, DECIDED)


def reject(door: Door) -> Call:
    return proposed(door, State.IN_REVIEW, "rejection", {"reasons": ["other"], "note": "小跳"}, DECIDED)


def decide_many(door: Door) -> Call:
    call = proposed(door, State.IN_REVIEW, "rejection", {}, DECIDED, adds=True)
    ids = [call.path.split("/")[2]]
    body = {"proposal_ids": ids, "decision": "approved", "answers": ANSWERS}
    return Call(call.door, "POST", "/proposal-decisions", {"json": body}, DECIDED)


def comment(door: Door) -> Call:
    counts = {"proposal_comment": {"added": 1}}
    return proposed(door, State.SUBMITTED, "comments", {"body": "小跳"}, counts, adds=True)


def publish(door: Door) -> Call:
    partner = door.put_in(lambda tx: make_partner(tx, programme_id=door.programme_id))
    shifts = [{"starts_at": NINE.isoformat(), "ends_at": NOON.isoformat(), "capacity": 10}]
    body = {"partner_id": str(partner.id), "reference": "L1", "title": "净滩", "shifts": shifts}
    return Call(door, "POST", "/listings", {"json": body}, {"listing": {"added": 1}, "shift": {"added": 1}})


def of_shift(how: str, body: dict[str, Any] | None = None, *, at: datetime = NINE - timedelta(days=1)) -> Make:
    """Make a decision about a shift that is to come, or that should have been."""

    def call(door: Door) -> Call:
        door.watch.now = at
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        on, counts = door.get(f"/shifts/{shift.id}").headers["etag"], {"shift": {"changed": 1}}
        return Call(door, "POST", f"/shifts/{shift.id}/{how}", {"json": body} if body else {}, counts, on)

    return call


def declare_draw(door: Door) -> Call:
    door.watch.now = NINE - timedelta(days=2)
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    on, counts = door.get(f"/shifts/{shift.id}").headers["etag"], {"shift": {"changed": 1}, "draw": {"added": 1}}
    body = {"draws_at": (NINE - timedelta(days=1)).isoformat()}
    return Call(door, "POST", f"/shifts/{shift.id}/draw", {"json": body}, counts, on)


def of_listing(how: str, body: dict[str, Any] | None = None) -> Make:
    """Make a decision about an activity with one shift that is to come."""

    def call(door: Door) -> Call:
        door.watch.now = NINE - timedelta(days=1)
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        path = f"/listings/{shift.listing_id}"
        counts = {"listing": {"changed": 1}, "shift": {"changed": 1}}
        on = door.get(path).headers["etag"]
        return Call(door, "POST", f"{path}/{how}", {"json": body} if body else {}, counts, on)

    return call


def sign_up(door: Door) -> Call:
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    person = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
    own = door.by(Role.VOLUNTEER, person_id=person.id)
    counts = {"sign_up": {"added": 1}, "shift": {"changed": 1}}
    return Call(own, "POST", f"/shifts/{shift.id}/sign-ups", {}, counts)


def of_sign_up(how: str, *, state: str, becomes: str, taken: int, body: dict[str, str] | None = None) -> Make:
    """Make a call of a volunteer about their own sign-up, which was in a state and comes to another."""

    def call(door: Door) -> Call:
        door.watch.now = NINE - timedelta(days=2)
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        place = door.put_in(lambda tx: make_sign_up(tx, tx.get_one(Shift, shift.id), state=state))
        own = door.by(Role.VOLUNTEER, person_id=place.volunteer_id)
        counts = {"sign_up": {becomes: 1}} | ({"shift": {"changed": 1}} if taken else {})
        return Call(own, "POST", f"/sign-ups/{place.id}/{how}", {"json": body} if body else {}, counts)

    return call


def excuse(door: Door) -> Call:
    by_itself = of_sign_up("excuse", state="confirmed", becomes="excused", taken=-1, body=REASON)(door)
    by_itself.door, by_itself.on = door, door.get(by_itself.path.removesuffix("/excuse")).headers["etag"]
    return by_itself


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


def stage(door: Door) -> Call:
    content = sheet(VOLUNTEERS, ("E-77", "小跳"), ("E-78", ""))
    parts = {"files": {"file": ("小跳.csv", content)}}
    return Call(door, "POST", "/imports/volunteers", parts, {"sheet_import": {"added": 1}})


def commit(door: Door) -> Call:
    rows = [(f"E-{number}", f"合成{number}") for number in range(60)]
    staging = stage(door)
    staging.parts = {"files": {"file": ("a.csv", sheet(VOLUNTEERS, *rows))}}
    staged = staging.send(str(uuid4()))
    path = f"/imports/{staged.json()['id']}/commit"
    return Call(door, "POST", path, {"json": {}}, {"sheet_import": {"changed": 1}})


def person(door: Door) -> UUID:
    return door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id)).id


def consent(door: Door) -> Call:
    own = door.by(Role.VOLUNTEER, person_id=person(door))
    return Call(own, "POST", "/volunteers/me/consents", {"json": CONSENT}, {"consent": {"added": 1}})


def withdraw(door: Door) -> Call:
    given = consent(door)
    assert given.send(str(uuid4())).status_code == 201
    path, parts = "/volunteers/me/consents/withdrawals", {"json": PURPOSE}
    return Call(given.door, "POST", path, parts, {"consent": {"added": 1}})


def record_consent(door: Door) -> Call:
    path, parts = f"/volunteers/{person(door)}/consents", {"json": CONSENT | REASON}
    return Call(door, "POST", path, parts, {"consent": {"added": 1}})


def record_withdrawal(door: Door) -> Call:
    given = record_consent(door)
    assert given.send(str(uuid4())).status_code == 201
    path, parts = f"{given.path}/withdrawals", {"json": PURPOSE | REASON}
    return Call(door, "POST", path, parts, {"consent": {"added": 1}})


def export(door: Door) -> Call:
    path, parts = f"/volunteers/{person(door)}/data-exports", {"json": REASON}
    return Call(door, "POST", path, parts, {"personal_data_access": {"added": 1}})


def erase(door: Door) -> Call:
    path, parts = f"/volunteers/{person(door)}/erasure", {"json": REASON | {"confirmed": True}}
    return Call(door, "POST", path, parts, ERASED)


def erase_oneself(door: Door) -> Call:
    own = door.by(Role.VOLUNTEER, person_id=person(door))
    return Call(own, "POST", "/volunteers/me/erasure", {"json": {"confirmed": True}}, ERASED)


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


CLAIMED = {
    "checked_in_at": NINE.isoformat(), "checked_out_at": NOON.isoformat(), "cause": "phone", "words": "小跳",
}  # fmt: skip


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


SETTLED = {"claim": {"changed": 1}, "attendance": {"settled": 1}, "shift": {"held": 1}, "sign_up": {"attended": 1}}


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


def keep_skill(door: Door) -> Call:
    parts = {"json": {"title_zh": "朗读", "title_en": "Reading"}}
    return Call(door, "PUT", "/skills/reading", parts, {"skill": {"added": 1}})


def edit_own_profile(door: Door) -> Call:
    own = door.by(Role.VOLUNTEER, person_id=person(door))
    return Call(own, "PUT", "/volunteers/me/profile", {"json": {"city": "小跳"}}, {"profile": {"added": 1}}, '"0"')


def edit_profile(door: Door) -> Call:
    parts = {"json": {"city": "小跳"} | REASON}
    return Call(door, "PUT", f"/volunteers/{person(door)}/profile", parts, {"profile": {"added": 1}}, '"0"')


def record_eligibility(door: Door) -> Call:
    path, parts = f"/volunteers/{person(door)}/eligibility", {"json": {"intervals": [{"until": "2022-06-01"}]} | REASON}
    return Call(door, "PUT", path, parts, {"eligibility": {"changed": 1}}, '"0"')


def propose_merge(door: Door) -> Call:
    body = {"kept_id": str(person(door)), "merged_id": str(person(door))} | REASON
    return Call(door, "POST", "/merges", {"json": body}, {"merge": {"added": 1}})


def approve_merge(door: Door) -> Call:
    merge = door.put_in(lambda tx: make_merge(tx, programme_id=door.programme_id))
    on = door.get(f"/merges/{merge.id}").headers["etag"]
    counts = {"merge": {"changed": 1}, "volunteer": {"merged": 1}}
    return Call(door, "POST", f"/merges/{merge.id}/approve", {}, counts, on)


def decline_merge(door: Door) -> Call:
    approved = approve_merge(door)
    path = approved.path.replace("approve", "decline")
    return Call(door, "POST", path, {"json": REASON}, {"merge": {"changed": 1}}, approved.on)


def appeal_reliability(door: Door) -> Call:
    def no_show(tx: Any) -> Any:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id), state="no_show", ended_at=NINE)

    place = door.put_in(no_show)
    own = door.by(Role.VOLUNTEER, person_id=place.volunteer_id)
    parts = {"json": {"sign_up_id": str(place.id), "note": "小跳"}}
    return Call(own, "POST", "/volunteers/me/reliability/appeals", parts, {"reliability_appeal": {"added": 1}})


def decide_appeal(door: Door) -> Call:
    appeal = door.put_in(lambda tx: make_appeal(tx, programme_id=door.programme_id))
    path = f"/reliability-appeals/{appeal.id}"
    parts, on = {"json": {"is_excused": True} | REASON}, door.get(path).headers["etag"]
    return Call(door, "POST", f"{path}/decide", parts, {"reliability_appeal": {"changed": 1}}, on)


LATER = {"starts_at": "2022-07-01T01:00:00Z", "ends_at": "2022-07-01T04:00:00Z", "reason": "台风"}


def publish_form(door: Door) -> Call:
    title = {"zh": "喜欢什么", "en": "What you liked"}
    question = {"key": "liked", "kind": "text", "title": title, "is_required": False, "choices": []}
    form = {"title": {"zh": "反馈", "en": "Feedback"}, "questions": [question]}
    path, counts = "/feedback-forms/volunteer/versions", {"feedback_form": {"added": 1}}
    return Call(door, "POST", path, {"json": form}, counts, '"0"')


def give_feedback(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    own = door.by(Role.VOLUNTEER, person_id=record.volunteer_id)
    return Call(own, "PUT", f"/shifts/{record.shift_id}/feedback/mine", {"json": ACTIVITY}, ANSWERED)


def give_host_feedback(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    host = door.by(Role.PARTNER, partner_id=record.partner_id)
    return Call(host, "PUT", f"/shifts/{record.shift_id}/feedback/host", {"json": GROUP}, ANSWERED)


def remark(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    host = door.by(Role.PARTNER, partner_id=record.partner_id)
    path = f"/shifts/{record.shift_id}/feedback/people/{record.volunteer_id}"
    return Call(host, "PUT", path, {"json": PERSON}, ANSWERED)


def record_issuer(door: Door) -> Call:
    facts = {"prefix": f"T{uuid4().hex[:7].upper()}", "zh": "基金会", "en": "Foundation", "contact": "小跳"}
    return Call(door, "PUT", "/certificate-issuer", {"json": facts}, {"certificate_issuer": {"added": 1}})


def served(door: Door) -> Door:
    """Have somebody serve on the first of June, and call as them when it is over."""
    door.watch.now = NOON
    door.put_in(lambda tx: make_issuer(tx, programme_id=door.programme_id))
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    return door.by(Role.VOLUNTEER, person_id=record.volunteer_id)


def request_certificate(door: Door) -> Call:
    return Call(served(door), "POST", "/volunteers/me/certificates", {"json": JUNE}, ISSUED)


def issue_certificate(door: Door) -> Call:
    path = f"/volunteers/{served(door).person_id}/certificates"
    return Call(door, "POST", path, {"json": JUNE | REASON}, ISSUED)


def revoke_certificate(door: Door) -> Call:
    certificate = request_certificate(door).send(str(uuid4())).json()
    path, on = f"/certificates/{certificate['id']}", '"1"'
    return Call(door, "POST", f"{path}/revocation", {"json": REASON}, {"certificate": {"changed": 1}}, on)


JUNE = {"service_from": "2022-06-01", "service_until": "2022-06-02"}
ISSUED = {"certificate": {"added": 1}}
ACTIVITY = {
    "form_version": 0,
    "answers": {"overall": 5, "organisation": 4, "meaning": 5, "would_return": True, "liked": "小跳"},
}
GROUP = {"form_version": 0, "answers": {"overall": 5, "punctuality": 4, "cooperation": 5, "as_expected": True}}
PERSON = {"form_version": 0, "answers": {"attitude": 5, "contribution": 5, "comment": "小跳"}}
ANSWERED = {"feedback": {"added": 1}, "feedback_version": {"added": 1}}
KIT_CHANGED = {"kit": {"changed": 1}}
ARRIVED = KIT_CHANGED | {"kit_address": {"removed": 1}}
HOME = {"recipient": "小跳", "phone": "13800000000", "postal_address": "小跳家 1 号"}
COST = {"amount_fen": 2_000, "reason": "没有寄回", "evidence_note": "小跳"}
PURPOSE = {"purpose": "partner_roster"}
CONTENT = {"title": "和小跳净滩", "mode": "on_site"}
ANSWERS = {"version": HANDBOOK.version, "marks": [{"item": item.code, "mark": "yes"} for item in HANDBOOK.items]}
DECIDED = {"proposal": {"changed": 1}, "proposal_decision": {"added": 1}}
CONSENT = PURPOSE | {"version": 1}
REASON = {"reason": "来信"}
ANSWERED_WORK = {"deliverable": {"changed": 1}, "deliverable_submission": {"changed": 1}}
ACCEPTED = ANSWERED_WORK | {"attendance": {"settled": 1}, "shift": {"held": 1}, "sign_up": {"attended": 1}}
ERASED = {"personal_data_access": {"added": 1}, "suppressed_number": {"added": 1}, "volunteer": {"changed": 1}}
CALLS: dict[str, Make] = {
    "register_volunteer": register,
    "record_partner": record,
    "set_round_calendar": set_calendar,
    "plan_round": plan,
    "move_round": move,
    "extend_round": extend,
    "cancel_round": call_off,
    "draft_proposal": draft,
    "edit_proposal": edit,
    "submit_proposal": submit,
    "withdraw_proposal": give_up,
    "clone_proposal": clone,
    "claim_proposal": claim,
    "release_proposal": release,
    "request_proposal_changes": send_back,
    "approve_proposal": approve,
    "reject_proposal": reject,
    "decide_proposals": decide_many,
    "comment_on_proposal": comment,
    "publish_listing": publish,
    "decide_go": of_shift("go"),
    "decide_no_go": of_shift("no-go", {"reason": "人数不足"}),
    "cancel_shift": of_shift("cancel", {"reason": "台风"}),
    "record_not_run": of_shift("not-run", {"reason": "台风", "code": "weather"}, at=NOON),
    "reschedule_shift": of_shift("reschedule", LATER),
    "declare_draw": declare_draw,
    "close_listing": of_listing("close"),
    "cancel_listing": of_listing("cancel", {"reason": "停办"}),
    "sign_up": sign_up,
    "accept_offer": of_sign_up("accept", state="offered", becomes="confirmed", taken=0),
    "decline_offer": of_sign_up("decline", state="offered", becomes="withdrawn", taken=-1),
    "withdraw_sign_up": of_sign_up(
        "withdraw", state="confirmed", becomes="withdrawn", taken=-1, body={"because": "出差"}
    ),
    "excuse_sign_up": excuse,
    "check_in": check_in,
    "check_out": check_out,
    "correct_attendance": correct,
    "void_attendance": void,
    "stage_volunteers_import": stage,
    "commit_import": commit,
    "keep_skill": keep_skill,
    "edit_own_profile": edit_own_profile,
    "edit_profile": edit_profile,
    "record_eligibility": record_eligibility,
    "appeal_reliability": appeal_reliability,
    "decide_reliability_appeal": decide_appeal,
    "propose_merge": propose_merge,
    "approve_merge": approve_merge,
    "decline_merge": decline_merge,
    "give_consent": consent,
    "withdraw_consent": withdraw,
    "record_consent": record_consent,
    "record_withdrawal": record_withdrawal,
    "publish_feedback_form": publish_form,
    "give_feedback": give_feedback,
    "give_host_feedback": give_host_feedback,
    "remark_on_volunteer": remark,
    "record_certificate_issuer": record_issuer,
    "request_certificate": request_certificate,
    "issue_certificate": issue_certificate,
    "revoke_certificate": revoke_certificate,
    "export_personal_data": export,
    "erase_volunteer": erase,
    "erase_oneself": erase_oneself,
    "mark_no_shows": mark_no_shows,
    "claim_attendance": claim_attendance,
    "claim_for_others": claim_for_others,
    "confirm_claim": confirm_claim,
    "object_to_claim": object_to_claim,
    "appeal_claim": appeal_claim,
    "uphold_claim": uphold_claim,
    "reject_claim": reject_claim,
    "submit_deliverable": hand_in_work,
    "accept_deliverable": of_work("accept", {}, ACCEPTED),
    "accept_deliverables": accept_many_works,
    "reject_deliverable": of_work("reject", REASON, ANSWERED_WORK | {"sign_up": {"attended": 1}}),
    "request_deliverable_revision": of_work("request-revision", REASON, ANSWERED_WORK),
    "attest_presence": attest_presence,
    "count_guests": count_guests,
    "record_walk_in": record_walk_in,
    "confirm_walk_in": confirm_walk_in,
    "decline_walk_in": decline_walk_in,
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
    "report_incident": report_incident,
    "open_incident": open_incident,
    "note_incident": note_incident,
    "assign_incident": assign_incident,
    "share_incident": share_incident,
    "resolve_incident": resolve_incident,
    "dismiss_incident": dismiss_incident,
}


def entries(door: Door, **asked: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = door.by(Role.AUDITOR).get("/audit-entries", **asked).json()["items"]
    return items


def test_every_unsafe_route_is_walked() -> None:
    """The table above is complete."""
    routes = (route for router in SERVICE.routers for route in router.routes)
    walked = {route.operation_id for route in routes if isinstance(route, Route) and route.is_unsafe}
    by_kind = {f"stage_{kind}_import" for kind in ("shifts", "attendance", "proposals")}
    assert walked - by_kind == set(CALLS)  # One route of the kit's for each.


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_leaves_one_entry_and_is_answered_again(door: Door, operation: str) -> None:
    """With what changed by number, and nothing about a person but ids; the second try changes nothing."""
    call, key = CALLS[operation](door), str(uuid4())
    first, again = call.send(key), call.send(key)

    assert first.is_success, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    (entry,) = entries(door, operation=operation)
    assert (entry["outcome"], entry["counts"]) == ("done", call.counts)
    assert entry["person_id"] == str(call.door.person_id)
    assert entry["thing"] in THINGS
    assert entry["thing_id"]
    file = door.by(Role.AUDITOR).get("/audit-entries", format="csv").text
    assert entry["id"] in file
    assert not [word for word in PERSONAL if word in str(entries(door)) + file]


def test_a_correction_says_from_what_to_what(door: Door) -> None:
    """And why, by whom: what an auditor of donations asks."""
    call = correct(door)
    call.send(str(uuid4()))

    (entry,) = entries(door, operation="correct_attendance")

    (change,) = entry["changes"]
    assert entry["reason"] == "机构更正"
    assert (change["thing"], change["id"]) == ("attendance", entry["thing_id"])
    assert change["from"] == {
        "version": 1, "checked_out_at": "2022-06-01T04:00:00Z", "evidence": "scanned", "service_minutes": 180,
        "matchable_minutes": 180,
    }  # fmt: skip
    assert change["to"] == {
        "version": 2, "checked_out_at": "2022-06-01T02:00:00Z", "evidence": "manual", "service_minutes": 60,
        "matchable_minutes": 60,
    }  # fmt: skip


def test_what_follows_for_others_stands_in_the_same_entry(door: Door) -> None:
    """Minutes of a neighbouring attendance that change with a correction are found by its id."""
    door.watch.now = at(20)

    def overlapping(tx: Any) -> tuple[Any, Any]:
        first = make_settled(tx, make_shift(tx, programme_id=door.programme_id))
        shift = make_shift(tx, programme_id=door.programme_id, starts_at=at(11), ends_at=at(14))
        return first, make_settled(tx, shift, volunteer_id=first.volunteer_id)

    first, second = door.put_in(overlapping)
    times = {"checked_in_at": NINE.isoformat(), "checked_out_at": at(10).isoformat(), "reason": "机构更正"}
    assert door.decide(f"/attendances/{first.id}", "corrections", **times).status_code == 200

    (entry,) = entries(door, thing_id=str(second.id))

    assert entry["thing_id"] == str(first.id)
    assert {change["id"] for change in entry["changes"]} == {str(first.id), str(second.id)}


def test_a_secret_is_named_and_not_shown(door: Door) -> None:
    """The seed of a shift's code would open its door."""
    staged = stage(door).send(str(uuid4()))
    assert staged.status_code == 201

    (entry,) = entries(door, operation="stage_volunteers_import")

    shown = entry["changes"][0]["to"]
    assert (shown["file_name"], shown["samples"], shown["errors"], shown["kind"]) == (HIDDEN,) * 3 + ("volunteers",)


def test_an_erasure_says_which_places_it_gave_back(door: Door) -> None:
    """And on which shifts; nothing in the entry leads from the volunteer to the number's digest."""
    door.watch.now = at(9, 1)  # Not a day's first instant, which a suppressed number is of.

    def signed_up(tx: Any) -> Any:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id, starts_at=at(20), ends_at=at(21)))

    place = door.put_in(signed_up)
    body = REASON | {"confirmed": True}
    assert door.post(f"/volunteers/{place.volunteer_id}/erasure", **body).status_code == 200

    (entry,) = entries(door, operation="erase_volunteer")

    assert entry["counts"] == ERASED | {"sign_up": {"withdrawn": 1}, "shift": {"changed": 1}}
    changes = {change["thing"]: change for change in entry["changes"]}
    was, gone = {"state": "confirmed", "ended_at": None}, {"state": "withdrawn", "ended_at": "2022-06-01T01:01:00Z"}
    assert changes["sign_up"] == {
        "thing": "sign_up", "id": str(place.id), "from": was, "to": gone,
    }  # fmt: skip
    assert changes["shift"] == {
        "thing": "shift", "id": str(place.shift_id), "from": {"taken": 1}, "to": {"taken": 0},
    }  # fmt: skip
    suppressed = changes["suppressed_number"]
    assert (suppressed["id"], suppressed["to"]["digest"]) == (f"{door.programme_id}/{HIDDEN}", HIDDEN)
    assert suppressed["to"]["erased_at"] == "2022-06-01T00:00:00Z"


def test_who_comes_back_takes_a_number_from_the_suppressed(door: Door) -> None:
    """Without the number or its digest."""
    assert register(door).send(str(uuid4())).status_code == 201
    [known] = door.get("/volunteers").json()["items"]
    assert door.post(f"/volunteers/{known['id']}/erasure", **REASON, confirmed=True).status_code == 200
    back = door.post("/volunteers", employee_number="E-77", display_name="小跳", comes_back=True)
    assert back.status_code == 201

    entry = entries(door, operation="register_volunteer")[0]

    assert entry["counts"] == {"volunteer": {"added": 1}, "suppressed_number": {"removed": 1}}
    assert "suppressed_number" not in {change["thing"] for change in entry["changes"]}


def test_an_import_that_renames_says_whom(door: Door) -> None:
    """By id, without either name."""
    programme = door.programme_id

    def bring(tx: Any) -> Any:
        known = make_volunteer(tx, programme_id=programme, employee_number="E-77", display_name="大跳")
        rows = sheet(VOLUNTEERS, ("E-77", "小跳"), ("E-78", "合成乙"))
        commit_by_id(tx, stage_sheet(tx, VOLUNTEERS, rows, programme_id=programme).id, programme_id=programme)
        return known

    known = door.put_in(bring)

    (entry,) = entries(door, operation="bring_in_import")

    assert entry["counts"] == {"volunteer": {"added": 1, "changed": 1}}
    [renamed] = [change for change in entry["changes"] if change["id"] == str(known.id)]
    assert (renamed["from"], renamed["to"]) == ({"display_name": HIDDEN},) * 2
    assert not [name for name in ("小跳", "大跳", "E-77") if name in str(entries(door))]


def test_a_denied_partner_stands_in_the_trail(door: Door) -> None:
    """Who asks for another partner's things is asked about it one day."""
    call = publish(door)
    stranger = door.by(Role.PARTNER, partner_id=uuid4())
    assert stranger.call("POST", "/listings", json=call.parts["json"]).status_code == 403

    (entry,) = entries(door)

    assert (entry["operation"], entry["outcome"], entry["refusal"]) == ("publish_listing", "denied", "other_partner")


def test_two_first_notes_of_a_partner_are_one_partner(door: Door) -> None:
    """If it exists, `*` says that it must not; if not, a reading of it cannot be."""
    facts = {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}
    headers = door.headers()

    def put(**more: str) -> int:
        names = {name.replace("_", "-"): value for name, value in more.items()}
        answer = door.client.put("/api/activities/partners/P9", json=facts, headers=headers | names)
        return int(answer.status_code)

    assert [put(if_match='"x"'), put(if_match="*"), put(if_none_match='"x"')] == [412, 412, 422]
    assert [put(if_none_match="*"), put(if_none_match="*"), put(), put(if_match="*")] == [200, 412, 428, 200]


def test_answers_are_kept_in_the_services_own_database(door: Door) -> None:
    """In the transaction of the effect, and nowhere else."""
    call, key = register(door), str(new_id())
    call.send(key)

    kept = door.put_in(
        lambda tx: tx.execute(text("SELECT operation FROM kept_answer WHERE key = :k"), {"k": key}).all()
    )

    assert kept == [("register_volunteer",)]
