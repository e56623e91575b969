"""Calls about partners, rounds, proposals and what is published."""

from typing import Any

from services.activities.proposals.rules import State
from services.activities.reviews.rules import HANDBOOK
from shared.roles import Role
from tests.activities.calls.call import REASON, Call, Make
from tests.activities.door import Door
from tests.factories.activities import (
    NINE,
    NOON,
    REVIEWER,
    at,
    make_partner,
    make_round,
)
from tests.factories.proposals import make_proposal

CONTENT = {"title": "和小跳净滩", "mode": "on_site"}
ANSWERS = {"version": HANDBOOK.version, "marks": [{"item": item.code, "mark": "yes"} for item in HANDBOOK.items]}
DECIDED = {"proposal": {"changed": 1}, "proposal_decision": {"added": 1}}


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


CALLS: dict[str, Make] = {
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
}
