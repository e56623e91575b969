"""Calls about people: who they are, what they consent to, what is known of them."""

from typing import Any
from uuid import UUID, uuid4

from services.activities.volunteer_imports.jobs import VOLUNTEERS
from shared.roles import Role
from tests.activities.calls.call import ERASED, REASON, Call, Make
from tests.activities.door import Door
from tests.activities.sheets import sheet
from tests.factories.activities import (
    NINE,
    make_appeal,
    make_merge,
    make_shift,
    make_sign_up,
    make_volunteer,
)

PURPOSE = {"purpose": "partner_roster"}
CONSENT = PURPOSE | {"version": 1}


def register(door: Door) -> Call:
    person = {"employee_number": "E-77", "display_name": "小跳"}
    return Call(door, "POST", "/volunteers", {"json": person}, {"volunteer": {"added": 1}})


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


CALLS: dict[str, Make] = {
    "register_volunteer": register,
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
    "export_personal_data": export,
    "erase_volunteer": erase,
    "erase_oneself": erase_oneself,
}
