from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.activities.attendance.tables import Attendance
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.activities.told import emitted
from tests.factories.activities import NOON, at, make_attendance, make_settled, make_shift, make_sign_up

BEFORE_TIME = {"checked_in_at": "0001-01-01T00:00:00+14:00", "checked_out_at": "0001-01-01T01:00:00+14:00"}
SUMMARY = {"since": "2022-06-01", "until": "2022-07-01"}


@pytest.fixture
def record(door: Door) -> Attendance:
    door.watch.now = at(20)
    return door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))


def correction(**overrides: Any) -> dict[str, Any]:
    body = {
        "checked_in_at": at(9, 30).isoformat(),
        "checked_out_at": at(11).isoformat(),
        "reason": "更正",
    }
    return body | overrides


class TestOwn:
    def test_a_volunteer_sees_how_they_stand(self, door: Door) -> None:
        """Expected, then there, then settled; nobody else's, and not without a place."""
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        place = door.put_in(lambda tx: make_sign_up(tx, shift))
        own, path = door.by(Role.VOLUNTEER, person_id=place.volunteer_id), f"/shifts/{shift.id}/attendance/mine"
        nothing = dict.fromkeys(("checked_in_at", "checked_out_at", "service_minutes", "matchable_minutes"))
        assert own.get(path).json() == nothing | {"state": "expected"}

        door.put_in(lambda tx: make_settled(tx, tx.merge(shift), volunteer_id=place.volunteer_id))

        assert own.get(path).json() == {
            "state": "settled", "checked_in_at": "2022-06-01T01:00:00Z", "checked_out_at": "2022-06-01T04:00:00Z",
            "service_minutes": 180, "matchable_minutes": 180,
        }  # fmt: skip
        assert refusal(door.by(Role.VOLUNTEER).get(path)) == (404, "not_signed_up")
        assert refusal(own.elsewhere().get(path)) == (404, "not_found")


class TestOversee:
    def test_an_attendance_is_shown_with_its_history(self, door: Door, record: Attendance) -> None:
        """Each decision with who, when and why."""
        shown = door.get(f"/attendances/{record.id}").json()

        assert (shown["state"], shown["version"], shown["service_minutes"]) == ("settled", 1, 180)
        [version] = shown.pop("versions")
        assert (version["kind"], version["reason"], version["decided_at"]) == (
            "settled",
            "made",
            "2022-06-01T04:00:00Z",
        )
        assert door.get("/attendances").json() == {"items": [shown], "next": None}

    def test_partners_see_their_own_only(self, door: Door, record: Attendance) -> None:
        """Another partner's looks as if it did not exist, another programme's too."""
        own = door.by(Role.PARTNER, partner_id=record.partner_id)
        assert own.get(f"/attendances/{record.id}").status_code == 200
        assert len(own.get("/attendances").json()["items"]) == 1
        for caller in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
            assert refusal(caller.get(f"/attendances/{record.id}")) == (404, "not_found")
            assert caller.get("/attendances").json() == {"items": [], "next": None}

    def test_the_list_is_of_one_shift_if_asked_and_comes_in_pages(self, door: Door, record: Attendance) -> None:
        """They join without a gap."""
        other = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        made = [str(door.put_in(lambda tx: make_attendance(tx, other)).id) for _ in range(3)]

        first = door.get("/attendances", shift_id=other.id, limit=2).json()
        second = door.get("/attendances", shift_id=other.id, limit=2, cursor=first["next"]).json()

        assert [item["id"] for item in first["items"] + second["items"]] == made
        assert second["next"] is None
        assert str(record.id) not in made
        assert len(door.get("/attendances").json()["items"]) == 4


class TestCorrect:
    @pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER])
    def test_staff_replace_what_was_recorded(self, door: Door, record: Attendance, role: Role) -> None:
        """Manual unless they say what it rests on; the ledger hears of it."""
        reviewer = door.by(role)

        answer = reviewer.decide(f"/attendances/{record.id}", "corrections", on='"1"', **correction())

        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["version"], shown["service_minutes"], shown["evidence"]) == (2, 90, "manual")
        latest = reviewer.get(f"/attendances/{record.id}").json()["versions"][-1]
        assert (latest["decided_by"], latest["decided_at"]) == (str(reviewer.person_id), "2022-06-01T12:00:00Z")
        facts = door.put_in(lambda tx: emitted(tx, door.programme_id))
        assert [(fact.version, fact.service_minutes) for fact in facts] == [(1, 180), (2, 90)]

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"on": '"0"'}, 412, "precondition_failed"),
            ({"on": '"2", W/"1"'}, 412, "precondition_failed"),
            ({"on": "1"}, 422, "malformed_entity_tag"),
            ({"reason": ""}, 422, "invalid_input"),
            ({"reason": "\0"}, 422, "invalid_input"),
            ({"evidence": "hearsay"}, 422, "invalid_input"),
            ({"checked_in_at": "2022-13-40T09:00:00Z"}, 422, "invalid_input"),
            ({"checked_in_at": "2022-06-01T09:00:00"}, 422, "invalid_input"),
            ({"checked_out_at": at(9, 30).isoformat()}, 422, "bad_times"),
            ({"checked_in_at": (at(11) - timedelta(hours=25)).isoformat()}, 422, "bad_times"),
            ({"checked_out_at": at(20, 1).isoformat()}, 422, "in_the_future"),
            ({"checked_in_at": at(13).isoformat(), "checked_out_at": at(14).isoformat()}, 422, "bad_times"),
            (BEFORE_TIME, 422, "invalid_input"),
        ],
    )  # fmt: skip
    def test_refusals_say_why(
        self, door: Door, record: Attendance, change: dict[str, Any], status: int, code: str
    ) -> None:
        """And leave everything as it was, readable."""
        answer = door.decide(f"/attendances/{record.id}", "corrections", **correction(**change))
        assert refusal(answer) == (status, code)
        assert door.get(f"/attendances/{record.id}").json()["version"] == 1
        assert len(door.put_in(lambda tx: emitted(tx, door.programme_id))) == 1

    def test_not_another_programmes(self, door: Door, record: Attendance) -> None:
        """It looks as if it did not exist."""
        for path, body in (("corrections", correction()), ("void", {"reason": "误报"})):
            answer = door.elsewhere().decide(f"/attendances/{record.id}", path, **body)
            assert refusal(answer) == (404, "not_found")


class TestVoid:
    def test_a_service_is_taken_back_once(self, door: Door, record: Attendance) -> None:
        """Again is refused: it stays voided."""
        path = f"/attendances/{record.id}"
        answer = door.decide(path, "void", on='"1"', reason="误报")
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["service_minutes"]) == ("voided", 0)
        assert refusal(door.decide(path, "void", on=answer.headers["etag"], reason="误报")) == (
            409,
            "attendance_voided",
        )
        assert refusal(door.decide(path, "void", on='"1"', reason="误报")) == (412, "precondition_failed")
        assert refusal(door.post(f"{path}/void", reason="误报")) == (428, "precondition_required")

    def test_there_must_be_something_to_take_back(self, door: Door) -> None:
        """The reviewer is told that nothing was settled."""
        present = door.put_in(lambda tx: make_attendance(tx, make_shift(tx, programme_id=door.programme_id)))
        assert refusal(door.decide(f"/attendances/{present.id}", "void", reason="误报"))[0] == 409


class TestSummary:
    def test_figures_are_of_one_programme_and_period(self, door: Door, record: Attendance) -> None:
        """The end of the period is excluded."""
        assert record.service_minutes == 180
        auditor = door.by(Role.AUDITOR)

        figures = auditor.get("/summary", **SUMMARY).json()

        assert figures | SUMMARY == figures
        assert (figures["participations"], figures["service_minutes"], figures["shifts_held"]) == (1, 180, 1)
        for caller, period in (
            (auditor, {"since": "2022-05-01", "until": "2022-06-01"}),
            (auditor.elsewhere(), SUMMARY),
        ):
            assert caller.get("/summary", **period).json()["participations"] == 0

    @pytest.mark.parametrize("period", [{"since": "2022-13-40", "until": "2022-07-01"}, {"since": "2022-06-01"}])
    def test_a_period_has_two_dates(self, door: Door, period: dict[str, str]) -> None:
        """Real ones."""
        assert refusal(door.get("/summary", **period)) == (422, "invalid_input")


def test_noon_is_noon() -> None:
    """What these tests rest on."""
    assert at(12) == NOON


def test_attendances_are_narrowed_sorted_and_a_file(door: Door) -> None:
    """By state and service date; rows that share a date follow by their ids, backwards too."""
    programme = door.programme_id
    made = [door.put_in(lambda tx: make_attendance(tx, make_shift(tx, programme_id=programme))) for _ in range(3)]
    ids = sorted(str(each.id) for each in made)

    page = door.get("/attendances", state="checked_in", sort="-service_on", service_from="2022-06-01").json()
    lines = door.get("/attendances", sort="checked_in_at", format="csv").content.decode("utf-8-sig").splitlines()

    assert [row["id"] for row in page["items"]] == ids[::-1]
    assert [line.partition(",")[0] for line in lines[1:]] == [f'"{each}"' for each in ids]
    assert door.get("/attendances", state="settled").json()["items"] == []
    assert door.get("/attendances", service_until="2022-06-01").json()["items"] == []
