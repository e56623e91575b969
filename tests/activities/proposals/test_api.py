from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.activities.checklists.schemas import Content
from services.activities.partners.tables import Partner
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.rounds.tables import Round
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_partner, make_round
from tests.factories.proposals import CONTENT, DAY, make_content, make_proposal

SENT = Content.model_validate(CONTENT).model_dump(mode="json")


@pytest.fixture
def call(door: Door) -> Round:
    return door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id))


@pytest.fixture
def partner(door: Door) -> Partner:
    return door.put_in(lambda tx: make_partner(tx, programme_id=door.programme_id))


@pytest.fixture
def own(door: Door, partner: Partner) -> Door:
    """Call as a member of the partner."""
    return door.by(Role.PARTNER, partner_id=partner.id)


def begin(door: Door, call: Round, partner: Partner, **content: Any) -> Any:
    body = {"partner_id": str(partner.id), "round_id": str(call.id), "content": SENT | content}
    return door.post("/proposals", **body)


def put(door: Door, call: Round, state: State = State.SUBMITTED, **overrides: Any) -> Proposal:
    return door.put_in(lambda tx: make_proposal(tx, state=state, call=tx.get_one(Round, call.id), **overrides))


class TestDraft:
    def test_a_partner_begins_edits_and_hands_in(self, own: Door, call: Round, partner: Partner) -> None:
        """What is sent is what is shown; findings say what is expected, in both languages."""
        made = begin(own, call, partner, risks="")

        assert made.status_code == 201
        shown = made.json()
        assert (shown["state"], shown["number"], shown["submissions"]) == ("draft", 1, 0)
        assert shown["content"] == SENT | {"risks": ""}
        [finding] = shown["findings"]
        assert (finding["field"], finding["code"], finding["severity"]) == ("risks", "no_risks", "blocking")
        assert (finding["title"]["zh"], finding["expected"]["en"]) == ("未说明风险", "What may happen to people")

        path = f"/proposals/{shown['id']}"
        refused = own.decide(path, "submissions")
        assert refusal(refused) == (422, "proposal_has_findings")
        assert refused.json()["facts"]["findings"] == [["risks", "no_risks"]]

        edited = own.change(path, on=made.headers["etag"], **SENT)
        assert (edited.status_code, edited.json()["findings"]) == (200, [])
        handed_in = own.decide(path, "submissions", on=edited.headers["etag"])
        assert (handed_in.status_code, handed_in.json()["state"]) == (201, "submitted")
        assert own.get(path).headers["etag"] == handed_in.headers["etag"]
        assert refusal(own.decide(path, "submissions", on=edited.headers["etag"])) == (412, "precondition_failed")

    def test_a_shift_that_repeats_is_shown_as_many(self, own: Door, call: Round, partner: Partner) -> None:
        """A draft shows what it came to, and is edited shift by shift from then on."""
        [shift, *_] = SENT["shifts"]
        made = begin(own, call, partner, shifts=[shift | {"repeats": {"count": 3, "every_weeks": 2}}])
        shifts = made.json()["content"]["shifts"]

        assert made.status_code == 201
        assert [set(each) for each in shifts] == [set(shift)] * 3
        first, second, _ = (datetime.fromisoformat(each["starts_at"]) for each in shifts)
        assert second - first == timedelta(days=14)
        again = own.change(f"/proposals/{made.json()['id']}", on=made.headers["etag"], **made.json()["content"])
        assert again.json()["content"] == made.json()["content"]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ({"shifts": [SENT["shifts"][0] | {"repeats": {}}]}, "bad_repetition"),
            ({"shifts": [SENT["shifts"][0] | {"repeats": {"count": 101}}]}, "too_many_shifts"),
            ({"mode": "in_space"}, "invalid_input"), ({"title": ""}, "invalid_input"),
            ({"title": "a\0"}, "invalid_input"),
            ({"weather": "sun"}, "invalid_input"), ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
            ({"positions": [{"name": "x", "number": 0}]}, "invalid_input"),
            ({"shifts": [{"starts_at": "2022-06-15", "ends_at": "2022-06-15", "capacity": 1}]}, "invalid_input"),
            ({"kit": {"contents": "x", "ceiling_fen": -1}}, "invalid_input"),
            ({"kit": {"contents": "x", "ceiling_fen": 1, "due_days": 0}}, "invalid_input"),
            ({"kit": {"contents": "x", "ceiling_fen": 1, "due_days": 61}}, "invalid_input"),
            ({"deliverable": {"criteria": "x", "minutes_per_piece": "60"}}, "invalid_input"),
        ],
    )  # fmt: skip
    def test_what_no_proposal_can_hold_is_refused(
        self, own: Door, call: Round, partner: Partner, content: dict[str, Any], code: str
    ) -> None:
        """By field, before anything is kept."""
        assert refusal(begin(own, call, partner, **content)) == (422, code)
        assert own.get("/proposals").json()["items"] == []

    def test_not_for_another_partner(self, door: Door, call: Round, partner: Partner) -> None:
        """Though an operator begins for any, of the programme."""
        other = door.by(Role.PARTNER, partner_id=uuid4())
        assert refusal(begin(other, call, partner)) == (403, "other_partner")
        assert begin(door, call, partner).status_code == 201
        assert refusal(begin(door.elsewhere(), call, partner)) == (422, "unknown_partner")

    def test_out_of_time(self, own: Door, call: Round, partner: Partner) -> None:
        """The round is over, or not open yet."""
        path = f"/proposals/{begin(own, call, partner).json()['id']}"
        own.watch.now = NINE - timedelta(seconds=1)
        assert refusal(own.decide(path, "submissions")) == (409, "submission_closed")
        own.watch.now = call.closes_at
        assert refusal(own.decide(path, "submissions")) == (409, "submission_closed")
        assert refusal(begin(own, call, partner)) == (409, "submission_closed")


class TestRead:
    def test_partners_see_their_own(self, door: Door, own: Door, call: Round, partner: Partner) -> None:
        """Staff and auditors see all of the programme; another programme sees nothing."""
        mine = put(door, call, partner_id=partner.id)
        theirs = put(door, call, title="种树活动")
        for caller in (door, door.by(Role.REVIEWER), door.by(Role.AUDITOR)):
            assert len(caller.get("/proposals").json()["items"]) == 2
            assert caller.get(f"/proposals/{theirs.id}").status_code == 200
        [shown] = own.get("/proposals").json()["items"]
        assert shown["id"] == str(mine.id)
        for path in (f"/proposals/{theirs.id}", f"/proposals/{theirs.id}/similar"):
            assert refusal(own.get(path)) == (404, "not_found")
            assert refusal(door.elsewhere().get(path)) == (404, "not_found")
        assert door.elsewhere().get("/proposals").json() == {"items": [], "next": None}

    def test_lists_are_filtered_sorted_and_files(self, door: Door, call: Round, partner: Partner) -> None:
        """By state, partner, round, reviewer, series, mode and time."""
        first = put(door, call, State.IN_REVIEW, partner_id=partner.id)
        second = put(door, call, title="种树活动", at=NINE + DAY)
        draft = put(door, call, State.DRAFT, title="读书会活动")

        def found(**query: Any) -> list[UUID]:
            return [UUID(item["id"]) for item in door.get("/proposals", **query).json()["items"]]

        assert found() == [draft.id, second.id, first.id]
        assert found(sort="submitted_at") == [first.id, second.id, draft.id]
        assert found(sort="-submitted_at", limit=2) == [draft.id, second.id]
        assert found(state="in_review") == found(partner_id=partner.id) == [first.id]
        assert found(reviewer_id=str(first.reviewer_id)) == [first.id]
        assert found(round_id=str(uuid4())) == []
        assert found(submitted_from=(NINE + DAY).isoformat()) == [second.id]
        assert found(submitted_until=(NINE + DAY).isoformat()) == [first.id]
        assert refusal(door.get("/proposals", state="lost"))[0] == 422
        page = door.get("/proposals", sort="-submitted_at", limit=1).json()
        following = door.get("/proposals", sort="-submitted_at", limit=1, cursor=page["next"]).json()
        assert UUID(following["items"][0]["id"]) == second.id
        lines = door.get("/proposals", format="csv").text.splitlines()
        assert len(lines) == 4

    def test_what_is_alike_is_shown_beside_it(self, door: Door, own: Door, call: Round, partner: Partner) -> None:
        """To staff whoever's it is; a partner's member sees of others only that there is something."""
        theirs = put(door, call)
        mine = put(door, call, State.DRAFT, partner_id=partner.id)

        [alike] = door.get(f"/proposals/{mine.id}/similar").json()["items"]

        assert (alike["proposal_id"], alike["percent"], alike["title"]) == (str(theirs.id), 100, CONTENT.title)
        assert own.get(f"/proposals/{mine.id}/similar").json() == {"items": []}
        findings = own.get(f"/proposals/{mine.id}").json()["findings"]
        assert [(each["code"], each["severity"]) for each in findings] == [("similar_to_earlier", "warning")]


class TestEnd:
    def test_a_partner_withdraws_for_a_reason(self, door: Door, own: Door, call: Round, partner: Partner) -> None:
        """Again changes nothing; not what is decided, nor another's."""
        mine = put(door, call, partner_id=partner.id)
        path = f"/proposals/{mine.id}"
        first, again = (own.decide(path, "withdrawal", reason=reason) for reason in ("改期", "下雨"))
        assert (first.status_code, again.json()["ended_because"]) == (200, "改期")
        assert refusal(own.decide(path, "withdrawal", reason=" ")) == (422, "invalid_input")
        passed = put(door, call, State.APPROVED, partner_id=partner.id, title="种树活动")
        assert refusal(own.decide(f"/proposals/{passed.id}", "withdrawal", reason="x")) == (409, "wrong_proposal_state")
        theirs = put(door, call, title="读书会活动")
        assert refusal(own.decide(f"/proposals/{theirs.id}", "withdrawal", reason="x")) == (404, "not_found")

    def test_a_series_goes_on_in_the_next_round(self, door: Door, own: Door, call: Round, partner: Partner) -> None:
        """As a draft whose shifts are a week later, without a duplicate's finding."""
        mine = put(door, call, partner_id=partner.id)
        week = door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id, number=2, opens_at=NINE + 7 * DAY))

        made = own.post(f"/proposals/{mine.id}/clones", round_id=str(week.id))

        assert made.status_code == 201
        shown = made.json()
        assert (shown["series_id"], shown["cloned_from"], shown["findings"]) == (str(mine.id), str(mine.id), [])
        assert shown["content"]["shifts"][0]["starts_at"] == "2022-06-22T01:00:00Z"
        assert [each["id"] for each in own.get("/proposals", series_id=str(mine.id)).json()["items"]] == [
            shown["id"], str(mine.id),
        ]  # fmt: skip
        assert refusal(own.post(f"/proposals/{mine.id}/clones", round_id=str(uuid4()))) == (422, "unknown_round")


def test_every_part_of_a_content_is_kept(own: Door, call: Round, partner: Partner) -> None:
    """Also what only online work and craft have."""
    whole = make_content(shifts=(replace(CONTENT.shifts[0], minimum=1),))
    sent = Content.model_validate(whole).model_dump(mode="json") | {
        "deliverable": {"criteria": "合格", "minutes_per_piece": 60},
        "kit": {"contents": "毛线", "ceiling_fen": 3_000, "due_days": 5},
    }  # fmt: skip
    made = begin(own, call, partner, **sent).json()
    assert own.get(f"/proposals/{made['id']}").json()["content"] == sent
