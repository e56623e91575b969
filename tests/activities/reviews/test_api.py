from typing import Any
from uuid import uuid4

import pytest

from services.activities.checklists.schemas import Content
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.reviews import actions
from services.activities.reviews.rules import HANDBOOK, MOST_DECIDED
from services.activities.rounds.tables import Round
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_round
from tests.factories.proposals import CONTENT, DAY, make_proposal

SENT = Content.model_validate(CONTENT).model_dump(mode="json")
ANSWERS = {"version": HANDBOOK.version, "marks": [{"item": item.code, "mark": "yes"} for item in HANDBOOK.items]}
REQUEST = {"note": "请补充", "requests": [{"field": "shifts.0.capacity", "note": "名额太多"}]}


@pytest.fixture
def call(door: Door) -> Round:
    return door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id, number=12, target=2))


@pytest.fixture
def judge(door: Door) -> Door:
    return door.by(Role.REVIEWER)


def put(door: Door, call: Round, state: State = State.SUBMITTED, **overrides: Any) -> Proposal:
    return door.put_in(lambda tx: make_proposal(tx, state=state, call=tx.get_one(Round, call.id), **overrides))


def test_from_the_first_version_to_the_listing(door: Door, judge: Door, call: Round) -> None:
    """Sent back, changed, handed in again and passed: each version with its differences and decision."""
    row = put(door, call)
    own, path = door.by(Role.PARTNER, partner_id=row.partner_id), f"/proposals/{row.id}"

    taken = judge.post(f"{path}/claim")
    assert (taken.status_code, taken.json()["reviewer_id"]) == (200, str(judge.person_id))
    door.watch.now = NINE + DAY / 24
    back = judge.decide(path, "change-requests", on=taken.headers["etag"], **REQUEST)
    assert (back.status_code, back.json()["state"]) == (200, "changes_requested")
    said = own.post(f"{path}/comments", body="已改")
    assert said.status_code == 201
    fewer = SENT | {"shifts": [SENT["shifts"][0] | {"capacity": 10}]}
    edited = own.change(path, on=own.get(path).headers["etag"], **fewer)
    assert own.decide(path, "submissions", on=edited.headers["etag"]).status_code == 201
    taken = judge.post(f"{path}/claim")
    passed = judge.decide(path, "approval", on=taken.headers["etag"], answers=ANSWERS)
    assert (passed.status_code, passed.json()["state"]) == (200, "approved")

    for reader in (own, judge, door.by(Role.AUDITOR)):
        first, second = reader.get(f"{path}/history").json()["items"]
        assert (first["number"], first["differences"], first["is_on_behalf"]) == (1, [], False)
        assert first["decision"]["requests"] == REQUEST["requests"]
        assert (first["decision"]["decision"], first["decision"]["review_minutes"]) == ("changes_requested", 60)
        assert second["differences"] == [{"field": "shifts.0.capacity", "from": 20, "to": 10}]
        assert (second["decision"]["decision"], second["decision"]["answers"]["version"]) == (
            "approved", HANDBOOK.version,
        )  # fmt: skip
        [comment] = reader.get(f"{path}/comments").json()["items"]
        assert (comment["side"], comment["body"], comment["submission"]) == ("partner", "已改", 1)

    door.put_in(lambda tx: actions.publish_approved(tx, now=call.publish_at))
    [listing] = own.get("/listings").json()["items"]
    assert (listing["proposal_id"], listing["reference"], listing["mode"]) == (str(row.id), "R012-0001", "on_site")
    assert (listing["city"], [each["capacity"] for each in listing["shifts"]]) == ("厦门", [10])
    assert own.get(path).json()["listing_id"] == listing["id"]


class TestReviewers:
    def test_one_at_a_time_and_not_their_own(self, door: Door, judge: Door, call: Round) -> None:
        """An operator gives back what somebody who is away has taken."""
        row = put(door, call)
        path = f"/proposals/{row.id}"
        both = door.by(Role.REVIEWER, partner_id=row.partner_id)
        assert refusal(both.post(f"{path}/claim")) == (403, "own_proposal")
        assert judge.post(f"{path}/claim").status_code == 200
        other = door.by(Role.REVIEWER)
        assert refusal(other.post(f"{path}/claim")) == (409, "already_claimed")
        assert refusal(other.decide(path, "approval", answers=ANSWERS)) == (409, "not_your_review")
        assert door.post(f"{path}/release").json()["state"] == "submitted"
        assert other.post(f"{path}/claim").status_code == 200

    @pytest.mark.parametrize(
        ("how", "body", "code"),
        [
            ("approval", {"answers": ANSWERS | {"version": 99}}, (409, "handbook_outdated")),
            ("approval", {"answers": ANSWERS | {"marks": []}}, (422, "bad_handbook_answers")),
            ("approval", {"answers": ANSWERS | {"marks": [
                {"item": item.code, "mark": "no", "remark": "不符"} for item in HANDBOOK.items
            ]}}, (409, "handbook_says_no")),
            ("approval", {}, (422, "invalid_input")),
            ("rejection", {"reasons": [], "note": "x"}, (422, "invalid_input")),
            ("rejection", {"reasons": ["mood"], "note": "x"}, (422, "invalid_input")),
            ("rejection", {"reasons": ["other"], "note": " "}, (422, "rejection_reasons_needed")),
            ("change-requests", {"requests": []}, (422, "invalid_input")),
            ("change-requests", {"requests": [{"field": "weather", "note": "x"}]}, (422, "unknown_proposal_field")),
        ],
    )  # fmt: skip
    def test_a_verdict_that_does_not_hold_changes_nothing(
        self, door: Door, judge: Door, call: Round, how: str, body: dict[str, Any], code: tuple[int, str]
    ) -> None:
        """The proposal stays with its reviewer."""
        path = f"/proposals/{put(door, call).id}"
        judge.post(f"{path}/claim")
        assert refusal(judge.decide(path, how, **body)) == code
        assert door.get(path).json()["state"] == "in_review"

    def test_the_checklist_is_shown_in_its_current_version(self, door: Door) -> None:
        """Partners may read what they are measured by."""
        for caller in (door, door.by(Role.PARTNER, partner_id=uuid4()), door.by(Role.REVIEWER)):
            shown = caller.get("/review-handbook").json()
            assert shown["version"] == HANDBOOK.version
            assert [each["item"] for each in shown["items"]] == [item.code for item in HANDBOOK.items]
            assert shown["items"][0]["says"]["zh"]


class TestMany:
    def test_a_hundred_at_once_each_with_its_own_result(self, door: Door, judge: Door, call: Round) -> None:
        """In the order asked, a repeat once; refusals in both languages."""
        good, gone = put(door, call), put(door, call, State.REJECTED, title="种树活动")
        ids = [str(gone.id), str(good.id), str(gone.id)]

        answer = judge.post("/proposal-decisions", proposal_ids=ids, decision="approved", answers=ANSWERS)

        first, second = answer.json()["items"]
        assert (first["proposal_id"], first["state"], first["code"]) == (str(gone.id), None, "wrong_proposal_state")
        assert first["title"]["zh"] == "方案当前状态不允许此操作"
        assert second == {"proposal_id": str(good.id), "state": "approved", "code": None, "title": None}

    def test_limits_and_strangers(self, door: Door, judge: Door, call: Round) -> None:
        """A hundred and one are too many; one that is not there refuses all."""
        good = put(door, call)
        body: dict[str, Any] = {"decision": "rejected", "reasons": ["duplicate"], "note": "重复"}
        many = [str(uuid4()) for _ in range(MOST_DECIDED + 1)]
        assert refusal(judge.post("/proposal-decisions", proposal_ids=many, **body)) == (422, "invalid_input")
        assert refusal(judge.post("/proposal-decisions", proposal_ids=[], **body)) == (422, "invalid_input")
        some = [str(good.id), str(uuid4())]
        assert refusal(judge.post("/proposal-decisions", proposal_ids=some, **body)) == (404, "not_found")
        elsewhere = judge.elsewhere()
        assert refusal(elsewhere.post("/proposal-decisions", proposal_ids=some[:1], **body)) == (404, "not_found")
        assert door.get(f"/proposals/{good.id}").json()["state"] == "submitted"


def test_a_board_shows_how_a_round_stands(door: Door, call: Round) -> None:
    """Against its target, as a whole and by partner; not to partners, nor in another programme."""
    waiting, passed = put(door, call), put(door, call, State.APPROVED, title="种树活动")
    path = f"/rounds/{call.id}/board"

    shown = door.get(path).json()

    assert (shown["number"], shown["target"], shown["gap"]) == (12, 2, 1)
    whole = shown["whole"]
    assert (whole["submitted"], whole["approved"], whole["published"], whole["pass_permille"]) == (1, 1, 0, 1_000)
    assert whole["oldest_waiting_at"] == "2022-06-01T01:00:00Z"
    assert {each["partner_id"]: each["proposals"] for each in shown["partners"]} == {
        str(waiting.partner_id): 1, str(passed.partner_id): 1,
    }  # fmt: skip
    assert (shown["decisions"], shown["median_review_minutes"], shown["ninth_decile_review_minutes"]) == (1, 0, 0)
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    own = door.by(Role.PARTNER, partner_id=waiting.partner_id)
    assert refusal(own.get(path)) == (403, "missing_permission")


EVER = {"since": "2022-01-01T00:00:00Z", "until": "2023-01-01T00:00:00Z"}


def a_week_earlier(call: Round) -> None:
    """Move a round to where another has no part of its time."""
    for name in ("opens_at", "closes_at", "review_by", "publish_at"):
        setattr(call, name, getattr(call, name) - 7 * DAY)


class TestBoardsTogether:
    def test_rounds_are_summed(self, door: Door, call: Round) -> None:
        """What was proposed in any of them, against all their targets; drafts are not counted."""
        for state in (State.APPROVED, State.REJECTED):
            put(door, call, state)
        door.put_in(lambda tx: a_week_earlier(tx.get_one(Round, call.id)))
        other = door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id, number=13, target=3))
        put(door, other, State.APPROVED)
        put(door, other, State.DRAFT)

        shown = door.by(Role.AUDITOR).get("/boards/rounds", **EVER).json()

        assert (shown["rounds"], shown["target"], shown["gap"]) == (2, 5, 3)
        whole = shown["whole"]
        assert (whole["proposals"], whole["approved"], whole["rejected"]) == (3, 2, 1)
        assert whole["pass_permille"] == 667

    def test_a_time_holds_the_rounds_that_opened_within(self, door: Door, call: Round) -> None:
        """Half-open; one that has not opened yet or was cancelled is no round so far, in another programme none is."""
        put(door, call, State.APPROVED)
        at = call.opens_at.isoformat()

        def sums(reader: Door, since: str, until: str) -> tuple[int, int]:
            shown = reader.get("/boards/rounds", since=since, until=until).json()
            return shown["rounds"], shown["whole"]["proposals"]

        assert sums(door, at, EVER["until"]) == (1, 1)
        assert sums(door, EVER["since"], at) == (0, 0)
        assert sums(door.elsewhere(), **EVER) == (0, 0)
        door.watch.now = call.opens_at - DAY
        assert sums(door, **EVER) == (0, 1)

    def test_of_nothing_there_is_no_rate(self, door: Door) -> None:
        """A season that has not begun has noughts; partners do not oversee it."""
        shown = door.get("/boards/rounds", **EVER).json()

        assert (shown["rounds"], shown["target"], shown["gap"], shown["whole"]["pass_permille"]) == (0, 0, 0, None)
        own = door.by(Role.PARTNER, partner_id=uuid4())
        assert refusal(own.get("/boards/rounds", **EVER)) == (403, "missing_permission")


def test_only_the_two_sides_read_what_is_said(door: Door, call: Round) -> None:
    """Another partner finds nothing, an auditor reads and does not write."""
    path = f"/proposals/{put(door, call).id}"
    stranger = door.by(Role.PARTNER, partner_id=uuid4())
    for tail in ("comments", "history"):
        assert refusal(stranger.get(f"{path}/{tail}")) == (404, "not_found")
    assert refusal(stranger.post(f"{path}/comments", body="x")) == (404, "not_found")
    assert refusal(door.by(Role.AUDITOR).post(f"{path}/comments", body="x")) == (403, "missing_permission")
    assert refusal(door.post(f"{path}/comments", body="")) == (422, "invalid_input")
    assert door.post(f"{path}/comments", body="请补充").json()["side"] == "operator"
