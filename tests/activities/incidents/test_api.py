from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.activities.incidents.tables import Incident
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NOON, make_incident, make_shift, make_volunteer


@pytest.fixture
def complaint(door: Door) -> Incident:
    """Let a volunteer complain about a shift."""
    door.watch.now = NOON

    def make(tx: Any) -> Incident:
        shift = make_shift(tx, programme_id=door.programme_id)
        person = make_volunteer(tx, programme_id=door.programme_id)
        return make_incident(tx, shift=shift, opened_side="volunteer", opened_by=person.id)

    return door.put_in(make)


def path_of(incident: Incident) -> str:
    return f"/incidents/{incident.id}"


def shown_to(door: Door) -> list[str]:
    return [item["id"] for item in door.get("/incidents").json()["items"]]


def test_staff_opens_one_about_anything(door: Door) -> None:
    """It is then in the list, with its deadline."""
    door.watch.now = NOON
    body = {"kind": "accident", "subject_type": "kit", "subject_id": str(uuid4()), "details": "剪刀划伤"}

    opened = door.post("/incidents", **body)

    assert opened.status_code == 201
    assert (opened.json()["state"], opened.json()["deadline_at"]) == ("open", "2022-06-02T04:00:00Z")
    assert door.get("/incidents", kind="accident").json()["items"] == [opened.json()]
    assert door.get("/incidents", kind="data").json()["items"] == []


@pytest.mark.parametrize("kind", ["shift", "listing", "partner", "volunteer"])
@pytest.mark.parametrize("is_subject", [True, False], ids=["subject", "beside it"])
def test_what_the_programme_does_not_have_is_nobodys_subject(door: Door, kind: str, *, is_subject: bool) -> None:
    """Neither what there is not nor what is another programme's; what it has itself is."""

    def ids_in(programme_id: UUID) -> Callable[[Any], dict[str, UUID]]:
        def make(tx: Any) -> dict[str, UUID]:
            shift = make_shift(tx, programme_id=programme_id)
            person = make_volunteer(tx, programme_id=programme_id)
            return {"shift": shift.id, "listing": shift.listing_id, "partner": shift.partner_id, "volunteer": person.id}

        return make

    def report(thing: UUID) -> Any:
        about = (kind, thing) if is_subject else ("kit", uuid4())
        more = {} if is_subject else {f"{kind}_id": str(thing)}
        return door.post(
            "/incidents", kind="other", subject_type=about[0], subject_id=str(about[1]), details="x", **more
        )

    own, others = (door.put_in(ids_in(programme))[kind] for programme in (door.programme_id, uuid4()))

    assert [refusal(report(thing)) for thing in (others, uuid4())] == [(404, "not_found")] * 2
    assert report(own).status_code == 201
    assert len(shown_to(door)) == 1


def test_an_incident_is_worked_on_until_it_is_closed(door: Door, complaint: Incident) -> None:
    """Taken on, noted, resolved; what it rests on is what was read."""
    path = path_of(complaint)
    assert refusal(door.decide(path, "resolve", reason="已沟通")) == (409, "incident_unowned")
    assert refusal(door.post(f"{path}/assign", owner_id=str(uuid4()))) == (428, "precondition_required")

    taken = door.decide(path, "assign", on=door.get(path).headers["etag"], owner_id=str(uuid4()))
    assert (taken.status_code, taken.json()["state"]) == (200, "in_progress")
    assert door.post(f"{path}/notes", text="问过机构").status_code == 201
    assert door.decide(path, "resolve", reason="已沟通").json()["resolution"] == "已沟通"

    assert [note["text"] for note in door.get(path).json()["notes"]] == ["问过机构"]
    for how in ("share", "dismiss", "assign"):
        body = {"reason": "x"} if how == "dismiss" else {"owner_id": str(uuid4())} if how == "assign" else {}
        assert refusal(door.decide(path, how, **body)) == (409, "incident_closed")
    assert refusal(door.post(f"{path}/notes", text="还有")) == (409, "incident_closed")


def test_a_complaint_about_a_partner_is_not_seen_by_it(door: Door, complaint: Incident) -> None:
    """Unless staff shares it; then without the notes. Another partner never sees it."""
    own, other = (door.by(Role.PARTNER, partner_id=who) for who in (complaint.partner_id, uuid4()))
    door.post(f"{path_of(complaint)}/notes", text="内部")
    assert refusal(own.get(path_of(complaint))) == (404, "not_found")
    assert shown_to(own) == []

    assert door.decide(path_of(complaint), "share").status_code == 200

    assert own.get(path_of(complaint)).json()["notes"] == []
    assert shown_to(own) == [str(complaint.id)]
    assert refusal(other.get(path_of(complaint))) == (404, "not_found")
    assert shown_to(other) == []


def test_who_complained_follows_it(door: Door, complaint: Incident) -> None:
    """And nobody else of the volunteers, nor another programme's staff."""
    own = door.by(Role.VOLUNTEER, person_id=complaint.opened_by)
    assert own.get(path_of(complaint)).json()["details"] == "没有人接待"
    assert shown_to(own) == [str(complaint.id)]
    for stranger in (door.by(Role.VOLUNTEER), door.elsewhere()):
        assert refusal(stranger.get(path_of(complaint))) == (404, "not_found")
        assert shown_to(stranger) == []


def test_only_staff_handles_them(door: Door, complaint: Incident) -> None:
    """Who it is about does not close it."""
    own = door.by(Role.PARTNER, partner_id=complaint.partner_id)
    assert refusal(own.decide(path_of(complaint), "dismiss", reason="没有")) == (403, "missing_permission")
    assert refusal(own.post("/incidents")) == (403, "missing_permission")
