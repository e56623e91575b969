from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.feedback_forms.rules import Side
from services.activities.listings.tables import Listing
from shared.roles import PEOPLE, Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NOON, make_listing, make_settled, make_shift, make_volunteer
from tests.factories.feedback import make_feedback

GOOD = {"overall": 5, "organisation": 4, "meaning": 3, "would_return": True, "liked": "海边的风"}
GROUP = {"overall": 5, "punctuality": 4, "cooperation": 5, "as_expected": True}
PERSON = {"attitude": 5, "contribution": 4, "comment": "很细心"}
CONSENT = {"purpose": "host_feedback", "version": 1}


@pytest.fixture
def record(door: Door) -> Attendance:
    door.watch.now = NOON
    return door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))


@pytest.fixture
def own(door: Door, record: Attendance) -> Door:
    return door.by(Role.VOLUNTEER, person_id=record.volunteer_id)


@pytest.fixture
def host(door: Door, record: Attendance) -> Door:
    return door.by(Role.PARTNER, partner_id=record.partner_id)


def put(door: Door, path: str, answers: dict[str, Any], *, on: str | None = None, **more: Any) -> Any:
    headers = door.headers() | ({"If-Match": on} if on else {})
    body = {"form_version": 0, "answers": answers} | more
    return door.client.put(f"/api/activities{path}", headers=headers, json=body)


def paths(record: Attendance) -> tuple[str, str, str]:
    root = f"/shifts/{record.shift_id}/feedback"
    return f"{root}/mine", f"{root}/host", f"{root}/people/{record.volunteer_id}"


class TestAnswering:
    def test_both_sides_are_asked_answer_and_change_it(self, own: Door, host: Door, record: Attendance) -> None:
        """What was answered is asked for no more; a change says what it was made over."""
        mine, whole, person = paths(record)
        [request] = own.get("/volunteers/me/feedback-requests").json()["items"]
        assert (request["shift_id"], request["title"], request["closes_at"]) == (
            str(record.shift_id), "净滩", "2022-06-15T04:00:00Z"
        )  # fmt: skip
        assert host.get("/partners/me/feedback-requests").json()["items"] == [request]

        for door, path, answers in ((own, mine, GOOD), (host, whole, GROUP), (host, person, PERSON)):
            assert refusal(door.get(path)) == (404, "not_found")
            first = put(door, path, answers)
            assert (first.status_code, first.json()["version"], first.json()["answers"]) == (200, 1, answers)
            assert door.get(path).json() == first.json()
            assert refusal(put(door, path, answers, is_complaint=True)) == (428, "precondition_required")
            changed = put(door, path, answers, on=first.headers["etag"], is_complaint=True)
            assert (changed.status_code, changed.json()["version"]) == (200, 2)
            assert refusal(put(door, path, answers, on=first.headers["etag"])) == (412, "precondition_failed")

        assert own.get("/volunteers/me/feedback-requests").json() == {"items": []}
        assert host.get("/partners/me/feedback-requests").json() == {"items": []}

    def test_each_question_that_is_wrong_is_named(self, own: Door, record: Attendance) -> None:
        """Where a malformed body's errors stand."""
        answer = put(own, paths(record)[0], GOOD | {"meaning": True, "colour": 3})

        assert refusal(answer) == (422, "answers_invalid")
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
            ("answers.colour", "unknown_question"), ("answers.meaning", "misfit")
        ]  # fmt: skip
        assert "facts" not in answer.json()

    @pytest.mark.parametrize("answers", [{"overall": 6}, {"overall": 0}, {"q": None}, {"q": [1]}, {"q": "x" * 2001}])
    def test_what_no_form_could_take_is_not_looked_at(self, own: Door, record: Attendance, answers: Any) -> None:
        """It is refused at the door."""
        assert refusal(put(own, paths(record)[0], answers)) == (422, "invalid_input")

    def test_the_time_is_over_after_two_weeks(self, own: Door, record: Attendance) -> None:
        """Nothing is taken then."""
        own.watch.now = NOON + timedelta(days=14)
        assert refusal(put(own, paths(record)[0], GOOD)) == (409, "feedback_closed")

    def test_a_form_that_was_replaced_is_told(self, door: Door, own: Door, record: Attendance) -> None:
        """Unless the answer that is changed was given to it."""
        first = put(own, paths(record)[0], GOOD)
        form = door.get("/feedback-forms/volunteer").json()
        body = {name: form[name] for name in ("title", "questions")}
        assert door.decide("/feedback-forms/volunteer", "versions", **body).status_code == 201

        assert put(own, paths(record)[0], GOOD | {"overall": 1}, on=first.headers["etag"]).status_code == 200
        other = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
        late = put(door.by(Role.VOLUNTEER, person_id=other.volunteer_id), paths(other)[0], GOOD)
        assert refusal(late) == (409, "feedback_form_outdated")
        assert late.json()["facts"] == {"current": 1}


class TestWhoSeesWhat:
    def test_an_answer_is_there_for_all_sides_at_once(
        self, door: Door, own: Door, host: Door, record: Attendance
    ) -> None:
        """The sync that was missing: the host without a name, the operator with the person's id, all in the totals."""
        put(own, paths(record)[0], GOOD)

        [shown] = host.get("/feedback").json()["items"]
        assert (shown["answers"], shown["side"]) == (GOOD, "volunteer")
        assert (shown["volunteer_id"], shown["display_name"], shown["answered_at"], shown["is_complaint"]) == (
            None,
        ) * 4
        [whole] = door.get("/feedback").json()["items"]
        assert (whole["volunteer_id"], whole["is_complaint"]) == (str(record.volunteer_id), False)
        assert own.get("/feedback/totals").json()["answers"] == 1

    def test_a_host_sees_the_name_of_who_consents_now(self, own: Door, host: Door, record: Attendance) -> None:
        """As long as they do; consent to rosters is another one."""
        put(own, paths(record)[0], GOOD)
        own.post("/volunteers/me/consents", purpose="partner_roster", version=1)
        assert host.get("/feedback").json()["items"][0]["display_name"] is None

        own.post("/volunteers/me/consents", **CONSENT)
        [shown] = host.get("/feedback").json()["items"]
        assert (shown["display_name"], shown["volunteer_id"]) == ("合成甲", str(record.volunteer_id))
        assert shown["answered_at"] == "2022-06-01T04:00:00Z"

        own.post("/volunteers/me/consents/withdrawals", purpose="host_feedback")
        [shown] = host.get("/feedback").json()["items"]
        assert (shown["display_name"], shown["volunteer_id"], shown["answered_at"]) == (None, None, None)

    def test_the_words_of_a_complaint_are_the_operators(
        self, door: Door, own: Door, host: Door, record: Attendance
    ) -> None:
        """A host sees the marks; who complains need not fear it."""
        put(own, paths(record)[0], GOOD, is_complaint=True)

        [shown] = host.get("/feedback").json()["items"]
        assert shown["answers"] == {key: value for key, value in GOOD.items() if key != "liked"}
        assert shown["is_complaint"] is None
        assert "海边的风" not in host.get("/feedback", format="csv").text
        [whole] = door.get("/feedback").json()["items"]
        assert (whole["answers"], whole["is_complaint"]) == (GOOD, True)
        [incident] = door.get("/incidents", subject_id=whole["id"]).json()["items"]
        assert (incident["kind"], incident["state"]) == ("complaint", "open")
        assert host.get("/incidents").json()["items"] == []

    def test_nobody_can_be_found_among_answers_by_id(self, host: Door, record: Attendance) -> None:
        """A host knows ids from its rosters."""
        assert refusal(host.get("/feedback", volunteer_id=str(record.volunteer_id))) == (422, "invalid_input")

    def test_a_remark_is_between_the_person_its_author_and_the_operator(
        self, door: Door, own: Door, host: Door, record: Attendance
    ) -> None:
        """Other members of the partner learn that there is one."""
        path = paths(record)[2]
        written = put(host, path, PERSON).json()

        for reader in (own, door):
            [shown] = reader.get("/remarks").json()["items"]
            assert (shown["answers"], shown["volunteer_id"]) == (PERSON, str(record.volunteer_id))
            history = reader.get(f"/remarks/{written['id']}").json()
            assert [version["answers"] for version in history["versions"]] == [PERSON]
        colleague = door.by(Role.PARTNER, partner_id=record.partner_id)
        assert host.get(path).json()["answers"] == PERSON
        assert colleague.get(path).json()["answers"] is None
        assert refusal(put(colleague, path, PERSON, on='"1"')) == (409, "remark_by_another")
        other = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
        stranger = door.by(Role.VOLUNTEER, person_id=other.id)
        assert stranger.get("/remarks").json()["items"] == []
        assert refusal(stranger.get(f"/remarks/{written['id']}")) == (404, "not_found")
        for role in (Role.REVIEWER, Role.AUDITOR):
            assert refusal(door.by(role).get("/remarks")) == (403, "missing_permission")
            assert door.by(role).get("/feedback").json()["items"] == []
            assert refusal(door.by(role).get(f"/feedback/{written['id']}")) == (404, "not_found")
        assert host.get("/feedback").json()["items"] == []

    def test_another_partner_sees_and_writes_nothing(self, door: Door, own: Door, record: Attendance) -> None:
        """Nor does another programme."""
        put(own, paths(record)[0], GOOD)
        other = door.by(Role.PARTNER, partner_id=uuid4())
        assert other.get("/feedback").json()["items"] == []
        assert other.get("/feedback/totals", partner_id=str(record.partner_id)).json()["answers"] == 0
        for path in paths(record)[1:]:
            assert refusal(put(other, path, {"overall": 1})) == (404, "not_found")
            assert refusal(other.get(path)) == (404, "not_found")
        assert door.elsewhere().get("/feedback").json()["items"] == []
        assert refusal(put(own.elsewhere(), paths(record)[0], GOOD)) == (404, "not_found")

    def test_versions_are_shown_to_staff(self, door: Door, own: Door, host: Door, record: Attendance) -> None:
        """With who wrote them and when."""
        first = put(own, paths(record)[0], GOOD)
        put(own, paths(record)[0], GOOD | {"overall": 2}, on=first.headers["etag"])

        history = door.get(f"/feedback/{first.json()['id']}").json()

        assert [version["answers"]["overall"] for version in history["versions"]] == [5, 2]
        assert {version["answered_by"] for version in history["versions"]} == {str(record.volunteer_id)}
        assert refusal(host.get(f"/feedback/{first.json()['id']}")) == (403, "missing_permission")


class TestTotals:
    @pytest.fixture
    def listing(self, door: Door) -> Listing:
        """Have three of four people answer about two shifts of one listing, and the host about one of them."""
        door.watch.now = NOON

        def fill(tx: Session) -> Listing:
            listing = make_listing(tx, programme_id=door.programme_id)
            first, second = (make_shift(tx, listing=listing, number=number) for number in (1, 2))
            served = [make_settled(tx, shift) for shift in (first, first, first, second)]
            for record, mark in zip(served[:3], (5, 4, 5), strict=True):
                make_feedback(tx, record, marks={"overall": mark, "would_return": mark == 5})
            make_feedback(tx, served[0], side=Side.HOST, marks={"overall": 3})
            make_feedback(tx, served[0], side=Side.REMARK, marks={"attitude": 1})
            make_feedback(tx, make_settled(tx, make_shift(tx, programme_id=uuid4())))
            return listing

        return door.put_in(fill)

    def totals(self, door: Door, **asked: Any) -> Any:
        answer = door.get("/feedback/totals", **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_add_up_by_question(self, door: Door, listing: Listing) -> None:
        """Nothing of other programmes, hosts or remarks is in them."""
        assert self.totals(door, listing_id=str(listing.id)) == self.totals(door) == {
            "side": "volunteer", "answers": 3, "asked": 4, "response_basis_points": 7_500, "is_withheld": False,
            "questions": [
                {
                    "key": "overall", "measure": "rating", "answers": 3, "distribution": {"4": 1, "5": 2},
                    "mark_sum": 14, "mean_hundredths": 467,
                },
                {
                    "key": "would_return", "measure": "yes_no", "answers": 3,
                    "distribution": {"false": 1, "true": 2}, "mark_sum": None, "mean_hundredths": None,
                },
            ],
        }  # fmt: skip

    def test_are_of_a_shift_a_listing_a_partner_and_a_period(self, door: Door, listing: Listing) -> None:
        """Each by itself; the last day is excluded."""
        [shown] = door.get("/listings").json()["items"]
        first, second = shown["shifts"]
        for asked, expected in (
            ({"shift_id": first["id"]}, (3, 3)),
            ({"shift_id": second["id"]}, (0, 1)),
            ({"listing_id": str(listing.id)}, (3, 4)),
            ({"partner_id": str(listing.partner_id)}, (3, 4)),
            ({"partner_id": str(uuid4())}, (0, 0)),
            ({"service_from": "2022-06-01", "service_until": "2022-06-02"}, (3, 4)),
            ({"service_until": "2022-06-01"}, (0, 0)),
            ({"service_from": "2022-06-02"}, (0, 0)),
            ({"side": "host"}, (1, 2)),
        ):
            found = self.totals(door, **asked)
            assert (found["answers"], found["asked"]) == expected, asked

    @pytest.mark.parametrize("role", [Role.PARTNER, Role.VOLUNTEER, Role.FUNDER])
    def test_of_fewer_than_three_are_withheld(self, door: Door, listing: Listing, role: Role) -> None:
        """From who reads no single answers by their task; how many there are is told."""
        caller = door.by(role, partner_id=listing.partner_id)
        assert self.totals(caller)["questions"][0]["mean_hundredths"] == 467

        found = self.totals(caller, side="host")

        assert (found["answers"], found["is_withheld"], found["questions"]) == (1, True, [])
        assert self.totals(door, side="host")["questions"][0]["mark_sum"] == 3

    def test_are_for_whom_the_matrix_says(self, door: Door, listing: Listing) -> None:
        """A partner gets its own, whatever it asks for."""
        other = door.by(Role.PARTNER, partner_id=uuid4())
        assert self.totals(other, listing_id=str(listing.id))["answers"] == 0
        for role in PEOPLE - {Role.OPERATOR, Role.REVIEWER, Role.AUDITOR, Role.FUNDER, Role.VOLUNTEER, Role.PARTNER}:
            assert refusal(door.by(role).get("/feedback/totals")) == (403, "missing_permission")
        assert refusal(door.get("/feedback/totals", side="remark")) == (422, "invalid_input")


def test_a_person_takes_out_what_they_said_and_what_was_said_of_them(own: Door, host: Door, record: Attendance) -> None:
    """Every version, with who wrote it; nothing of the whole shift."""
    put(own, paths(record)[0], GOOD)
    put(host, paths(record)[1], GROUP)
    put(host, paths(record)[2], PERSON)

    data = own.get("/volunteers/me/data").json()["feedback"]

    assert [(each["side"], each["versions"][0]["texts"]) for each in data] == [
        ("volunteer", {"liked": "海边的风"}), ("remark", {"comment": "很细心"})
    ]  # fmt: skip
    assert UUID(data[1]["versions"][0]["answered_by"]) == host.person_id
