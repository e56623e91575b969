"""Every unsafe route of activities leaves one entry that says what it did, and can be sent again."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.activities.main import SERVICE
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from shared.audit.trail import HIDDEN
from shared.ids import new_id
from shared.roles import Role
from shared.web.routes import Route
from tests.activities.calls import afterwards, people, places, planning, presence, work
from tests.activities.calls.call import ERASED, REASON
from tests.activities.calls.people import register, stage
from tests.activities.calls.planning import publish
from tests.activities.calls.presence import correct
from tests.activities.door import Door
from tests.activities.sheets import commit_by_id, sheet
from tests.activities.sheets import stage as stage_sheet
from tests.factories.activities import (
    NINE,
    at,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

THINGS = {
    "shift", "attendance", "sheet_import", "import", "volunteer", "partner", "listing", "sign_up", "consent",
    "personal_data_access", "round", "round_calendar", "proposal", "proposal_comment", "proposal_decision",
    "deliverable", "deliverable_submission", "incident", "claim", "walk_in", "guest_count", "feedback_form", "feedback",
    "certificate", "certificate_issuer", "calendar_feed", "kit", "kit_cost", "skill", "profile", "eligibility", "merge",
    "reliability_appeal", "appeal",
}  # fmt: skip
PERSONAL = ("小跳", "E-77", "GEZDGNBVGY3TQOJQ")
CALLS = {
    name: call for room in (people, planning, places, presence, work, afterwards) for name, call in room.CALLS.items()
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
