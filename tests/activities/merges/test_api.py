from typing import Any

import pytest

from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import make_settled, make_shift, make_sign_up, make_volunteer


@pytest.fixture
def people(door: Door) -> tuple[Volunteer, Volunteer]:
    def make(tx: Any) -> tuple[Volunteer, Volunteer]:
        kept, merged = (make_volunteer(tx, programme_id=door.programme_id, employee_number=f"E{n}") for n in (1, 2))
        return kept, merged

    return door.put_in(make)


@pytest.fixture
def proposed(door: Door, people: tuple[Volunteer, Volunteer]) -> Any:
    answer = door.post("/merges", kept_id=str(people[0].id), merged_id=str(people[1].id), reason="双重登记")
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_one_proposes_and_another_approves(door: Door, people: tuple[Volunteer, Volunteer], proposed: Any) -> None:
    """On a reading; then the record is shown as a pointer, and can do nothing."""
    kept, merged = people
    path = f"/merges/{proposed['id']}"
    assert proposed | {"kept_id": str(kept.id), "merged_id": str(merged.id), "outcome": None} == proposed
    assert refusal(door.decide(path, "approve")) == (409, "own_merge_approved")
    reviewer = door.by(Role.REVIEWER)
    on = reviewer.get(path).headers["etag"]

    approved = reviewer.decide(path, "approve", on=on)

    assert (approved.status_code, approved.json()["outcome"]) == (200, "approved")
    assert approved.json()["decider_id"] == str(reviewer.person_id)
    assert refusal(reviewer.decide(path, "decline", reason="x")) == (409, "merge_decided")
    assert door.get("/merges").json()["items"] == [approved.json()]
    shown = {each["id"]: each["merged_into"] for each in door.get("/volunteers").json()["items"]}
    assert shown == {str(kept.id): None, str(merged.id): str(kept.id)}
    own = door.by(Role.VOLUNTEER, person_id=merged.id)
    assert refusal(own.get("/volunteers/me/profile")) == (404, "not_found")
    assert own.get("/volunteers/me/profile").json()["facts"]["merged_into"] == str(kept.id)
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    assert refusal(own.post(f"/shifts/{shift.id}/sign-ups")) == (404, "not_found")
    again = door.post("/volunteers", employee_number="E2", display_name="合成甲")
    assert refusal(again) == (409, "record_merged")


def test_it_may_be_declined(door: Door, people: tuple[Volunteer, Volunteer], proposed: Any) -> None:
    """With a reason; then it may be proposed again."""
    path = f"/merges/{proposed['id']}"
    declined = door.decide(path, "decline", reason="同名不同人")
    assert (declined.json()["outcome"], declined.json()["declined_because"]) == ("declined", "同名不同人")
    again = door.post("/merges", kept_id=str(people[0].id), merged_id=str(people[1].id), reason="双重登记")
    assert again.status_code == 201
    assert refusal(door.decide(path, "decline", reason=" ")) == (422, "invalid_input")


def test_what_cannot_be_proposed(door: Door, people: tuple[Volunteer, Volunteer], proposed: Any) -> None:
    """Twice, of one record, or of nobody."""
    kept, merged = (str(each.id) for each in people)
    assert refusal(door.post("/merges", kept_id=kept, merged_id=merged, reason="x")) == (409, "merge_proposed")
    assert refusal(door.post("/merges", kept_id=kept, merged_id=kept, reason="x")) == (422, "same_record")
    assert refusal(door.post("/merges", kept_id=kept, merged_id=merged)) == (422, "invalid_input")
    gone = door.elsewhere().post("/merges", kept_id=kept, merged_id=merged, reason="x")
    assert refusal(gone) == (404, "not_found")
    assert proposed


def test_what_stands_against_it_is_listed(door: Door, people: tuple[Volunteer, Volunteer], proposed: Any) -> None:
    """By shift, so that an operator can settle it first."""

    def both(tx: Any) -> Any:
        shift = make_shift(tx, programme_id=door.programme_id)
        for person in people:
            make_sign_up(tx, shift, volunteer=person)
        return shift

    shift = door.put_in(both)
    answer = door.by(Role.REVIEWER).decide(f"/merges/{proposed['id']}", "approve")
    assert refusal(answer) == (409, "merge_blocked")
    assert answer.json()["facts"]["shifts"] == {str(shift.id): "open_sign_up"}


def test_who_may(door: Door, proposed: Any) -> None:
    """Operators propose, staff decide; nobody else sees it, nor does another programme."""
    path = f"/merges/{proposed['id']}"
    for role in set(Role) - {Role.OPERATOR, Role.REVIEWER}:
        assert refusal(door.by(role).get(path)) == (403, "missing_permission")
        assert refusal(door.by(role).decide(path, "approve")) == (403, "missing_permission")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    assert refusal(door.elsewhere().by(Role.REVIEWER).decide(path, "approve")) == (404, "not_found")


def test_a_trail_says_what_went_over(door: Door, people: tuple[Volunteer, Volunteer], proposed: Any) -> None:
    """By id, in the approver's name."""

    def serve(tx: Any) -> Any:
        shift = make_shift(tx, programme_id=door.programme_id)
        make_sign_up(tx, shift, volunteer=people[1])
        return make_settled(tx, shift, volunteer_id=people[1].id)

    record = door.put_in(serve)
    door.watch.now = record.checked_out_at
    reviewer = door.by(Role.REVIEWER)
    door.watch.now = record.checked_out_at.replace(day=2)
    assert reviewer.decide(f"/merges/{proposed['id']}", "approve").status_code == 200
    [entry] = door.by(Role.AUDITOR).get("/audit-entries", operation="approve_merge").json()["items"]
    assert entry["counts"]["attendance"] == {"revised": 1}
    assert entry["counts"]["volunteer"] == {"merged": 1}
    assert entry["person_id"] == str(reviewer.person_id)
