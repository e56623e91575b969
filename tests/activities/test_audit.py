"""Every unsafe route of activities leaves one entry that says what it did, and can be sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.activities.main import SERVICE
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
    at,
    code,
    make_partner,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

KEPT = text("SELECT operation FROM kept_answer WHERE key = :key")
THINGS = {
    "shift", "attendance", "sheet_import", "import", "volunteer", "partner", "listing", "sign_up", "consent",
    "personal_data_access",
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


def register(door: Door) -> Call:
    person = {"employee_number": "E-77", "display_name": "小跳"}
    return Call(door, "POST", "/volunteers", {"json": person}, {"volunteer": {"added": 1}})


def record(door: Door) -> Call:
    facts = {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}
    return Call(door, "PUT", "/partners/P1", {"json": facts}, {"partner": {"added": 1}})


def publish(door: Door) -> Call:
    partner = door.put_in(lambda tx: make_partner(tx, programme_id=door.programme_id))
    shifts = [{"starts_at": NINE.isoformat(), "ends_at": NOON.isoformat(), "capacity": 10}]
    body = {"partner_id": str(partner.id), "reference": "L1", "title": "净滩", "shifts": shifts}
    return Call(door, "POST", "/listings", {"json": body}, {"listing": {"added": 1}, "shift": {"added": 1}})


def cancel(door: Door) -> Call:
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    on = door.get(f"/shifts/{shift.id}").headers["etag"]
    parts = {"json": {"reason": "台风"}}
    return Call(door, "POST", f"/shifts/{shift.id}/cancel", parts, {"shift": {"changed": 1}}, on)


def sign_up(door: Door) -> Call:
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    person = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
    own = door.by(Role.VOLUNTEER, person_id=person.id)
    counts = {"sign_up": {"added": 1}, "shift": {"changed": 1}}
    return Call(own, "POST", f"/shifts/{shift.id}/sign-ups", {}, counts)


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


PURPOSE = {"purpose": "partner_roster"}
CONSENT = PURPOSE | {"version": 1}
REASON = {"reason": "来信"}
ERASED = {"personal_data_access": {"added": 1}, "suppressed_number": {"added": 1}, "volunteer": {"changed": 1}}
CALLS: dict[str, Callable[[Door], Call]] = {
    "register_volunteer": register,
    "record_partner": record,
    "publish_listing": publish,
    "cancel_shift": cancel,
    "sign_up": sign_up,
    "check_in": check_in,
    "check_out": check_out,
    "correct_attendance": correct,
    "void_attendance": void,
    "stage_volunteers_import": stage,
    "commit_import": commit,
    "give_consent": consent,
    "withdraw_consent": withdraw,
    "record_consent": record_consent,
    "record_withdrawal": record_withdrawal,
    "export_personal_data": export,
    "erase_volunteer": erase,
    "erase_oneself": erase_oneself,
}


def entries(door: Door, **asked: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = door.by(Role.AUDITOR).get("/audit-entries", **asked).json()["items"]
    return items


def test_every_unsafe_route_is_walked() -> None:
    """The table above is complete."""
    routes = (route for router in SERVICE.routers for route in router.routes)
    walked = {route.operation_id for route in routes if isinstance(route, Route) and route.is_unsafe}
    assert walked - {"stage_shifts_import", "stage_attendance_import"} == set(CALLS)  # One route of the kit's for each.


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
    }  # fmt: skip
    assert change["to"] == {
        "version": 2, "checked_out_at": "2022-06-01T02:00:00Z", "evidence": "manual", "service_minutes": 60,
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
    gone = {"withdrawn_at": "2022-06-01T01:01:00Z"}
    assert changes["sign_up"] == {
        "thing": "sign_up", "id": str(place.id), "from": {"withdrawn_at": None}, "to": gone,
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
