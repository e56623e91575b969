from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.activities.rounds.tables import Round
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_round

DAY = timedelta(days=1)
MOMENT = {"weekday": 1, "time": "09:00"}
CALENDAR = {
    "timezone": "Asia/Shanghai", "opens": MOMENT, "closes": {"weekday": 4, "time": "18:00"},
    "review": {"weekday": 5, "time": "18:00"}, "publish": MOMENT, "weeks_ahead": 2, "target": 60,
}  # fmt: skip
TIMES = {
    "opens_at": "2022-06-01T01:00:00Z", "closes_at": "2022-06-04T01:00:00Z", "review_by": "2022-06-05T01:00:00Z",
    "publish_at": "2022-06-06T01:00:00Z",
}  # fmt: skip
NEXT = {
    "opens_at": "2022-06-08T01:00:00Z", "closes_at": "2022-06-11T01:00:00Z", "review_by": "2022-06-12T01:00:00Z",
    "publish_at": "2022-06-13T01:00:00Z",
}  # fmt: skip
WHY = {"reason": "假期"}


@pytest.fixture
def made(door: Door) -> Round:
    """Plan a round, on the day before it opens."""
    door.watch.now = NINE - DAY
    return door.put_in(lambda tx: make_round(tx, programme_id=door.programme_id))


class TestCalendar:
    def test_it_is_set_read_and_changed(self, door: Door) -> None:
        """The rounds of the weeks ahead are there at once."""
        assert refusal(door.get("/round-calendar")) == (404, "not_found")

        first = door.call("PUT", "/round-calendar", json=CALENDAR)
        shown = door.by(Role.PARTNER, partner_id=uuid4()).get("/round-calendar")
        again = door.change("/round-calendar", on=shown.headers["etag"], **CALENDAR | {"target": 70})

        assert (first.status_code, shown.json(), first.json()) == (200, CALENDAR, CALENDAR)
        assert (again.status_code, again.json()) == (200, CALENDAR | {"target": 70})
        items = door.get("/rounds").json()["items"]
        assert [(each["number"], each["week_on"], each["target"]) for each in items] == [
            (2, "2022-06-13", 60), (1, "2022-06-06", 60),
        ]  # fmt: skip

    def test_one_that_is_there_is_read_first(self, door: Door) -> None:
        """Of two who change it on one reading only the first does."""
        tag = door.call("PUT", "/round-calendar", json=CALENDAR).headers["etag"]
        assert refusal(door.call("PUT", "/round-calendar", json=CALENDAR)) == (428, "precondition_required")
        assert door.change("/round-calendar", on=tag, **CALENDAR | {"target": 1}).status_code == 200
        stale = door.change("/round-calendar", on=tag, **CALENDAR | {"target": 2})
        assert refusal(stale) == (412, "precondition_failed")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
            ({"closes": {"weekday": 1, "time": "09:30"}}, "bad_round_times"),
            ({"opens": {"weekday": 0, "time": "09:00"}}, "invalid_input"),
            ({"opens": {"weekday": 8, "time": "09:00"}}, "invalid_input"),
            ({"opens": {"weekday": 1, "time": "24:00"}}, "invalid_input"),
            ({"opens": {"weekday": 1, "time": "9:00"}}, "invalid_input"),
            ({"opens": {"weekday": 1, "time": "09:00\n"}}, "invalid_input"),
            ({"weeks_ahead": 0}, "invalid_input"),
            ({"weeks_ahead": 13}, "invalid_input"),
            ({"target": -1}, "invalid_input"),
        ],
    )
    def test_what_cannot_be_one_is_refused(self, door: Door, change: dict[str, Any], code: str) -> None:
        """And nothing is set."""
        assert refusal(door.call("PUT", "/round-calendar", json=CALENDAR | change)) == (422, code)
        assert door.get("/round-calendar").status_code == 404


class TestRounds:
    def test_one_is_planned_and_shown(self, door: Door) -> None:
        """To partners too, who answer it."""
        door.watch.now = NINE - DAY

        answer = door.post("/rounds", **TIMES, target=60)

        assert answer.status_code == 201
        expected = TIMES | {"number": 1, "week_on": None, "target": 60, "state": "planned"}
        made = expected | {"id": answer.json()["id"], "moved_because": None, "cancelled_because": None}
        assert answer.json() == made
        partner = door.by(Role.PARTNER, partner_id=uuid4())
        assert partner.get(f"/rounds/{made['id']}").json() == made
        assert partner.get("/rounds").json() == {"items": [made], "next": None}
        assert refusal(door.elsewhere().get(f"/rounds/{made['id']}")) == (404, "not_found")

    def test_what_cannot_be_one_is_refused(self, door: Door, made: Round) -> None:
        """Moments out of order, a call that is over, one beside another."""
        assert made.number == 1
        assert refusal(door.post("/rounds", **NEXT | {"closes_at": NEXT["opens_at"]}, target=1)) == (
            422,
            "bad_round_times",
        )
        assert refusal(door.post("/rounds", **TIMES, target=1)) == (409, "rounds_overlap")
        door.watch.now = NINE + 30 * DAY
        assert refusal(door.post("/rounds", **NEXT, target=1)) == (422, "bad_round_times")

    def test_they_are_found_by_state_and_by_time(self, door: Door, made: Round) -> None:
        """The latest first."""
        later = door.post("/rounds", **NEXT, target=60).json()["id"]
        door.decide(f"/rounds/{later}", "cancel", **WHY)

        def found(**query: str) -> list[int]:
            return [each["number"] for each in door.get("/rounds", **query).json()["items"]]

        assert found() == [2, 1]
        assert found(sort="opens_at") == [1, 2]
        assert (found(state="planned"), found(state="cancelled"), found(state="open")) == ([1], [2], [])
        assert (found(opens_from=NEXT["opens_at"]), found(opens_until=NEXT["opens_at"])) == ([2], [1])
        assert (found(closes_from=NEXT["closes_at"]), found(closes_until=NEXT["closes_at"])) == ([2], [1])
        csv = door.get("/rounds", format="csv", state="planned").text.splitlines()
        assert csv[1].split(",")[0].strip('"') == str(made.id)

    def test_one_is_moved_extended_and_cancelled_on_a_reading(self, door: Door, made: Round) -> None:
        """Each with its reason, which stands in the round."""
        path = f"/rounds/{made.id}"
        tag = door.get(path).headers["etag"]
        moved = door.decide(path, "move", on=tag, **TIMES | {"publish_at": "2022-06-07T01:00:00Z"}, **WHY)
        stale = door.decide(path, "cancel", on=tag, **WHY)
        door.watch.now = NINE
        extended = door.decide(path, "extend", closes_at="2022-06-05T01:00:00Z", reason="系统故障")
        cancelled = door.decide(path, "cancel", reason="台风")

        assert (moved.status_code, moved.json()["moved_because"]) == (200, "假期")
        assert refusal(stale) == (412, "precondition_failed")
        assert extended.json() | TIMES == moved.json() | TIMES | {"state": "open", "moved_because": "系统故障"}
        assert (extended.json()["closes_at"], extended.json()["publish_at"]) == (
            "2022-06-05T01:00:00Z", "2022-06-08T01:00:00Z",
        )  # fmt: skip
        assert (cancelled.json()["state"], cancelled.json()["cancelled_because"]) == ("cancelled", "台风")
        assert refusal(door.decide(path, "extend", closes_at="2022-06-06T01:00:00Z", **WHY)) == (
            409,
            "wrong_round_state",
        )
        assert refusal(door.decide(path, "move", **NEXT, **WHY)) == (409, "wrong_round_state")

    @pytest.mark.parametrize("reason", ["", "  ", "a\0"])
    def test_a_reason_says_something(self, door: Door, made: Round, reason: str) -> None:
        """Blanks do not."""
        answer = door.decide(f"/rounds/{made.id}", "cancel", reason=reason)
        assert refusal(answer) == (422, "invalid_input")

    def test_partners_plan_none(self, door: Door, made: Round) -> None:
        """They answer."""
        partner = door.by(Role.PARTNER, partner_id=uuid4())
        for answer in (
            partner.post("/rounds", **NEXT, target=1),
            partner.decide(f"/rounds/{made.id}", "cancel", **WHY),
            partner.call("PUT", "/round-calendar", json=CALENDAR),
        ):
            assert refusal(answer) == (403, "missing_permission")
