"""Feeds over HTTP: who asks, who reads, and what stands in a calendar."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import icalendar
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups.rules import State
from shared.roles import Role
from shared.web.rates import RateLimiter
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_listing, make_partner, make_shift, make_sign_up, make_volunteer
from tests.factories.calendar_feeds import SECRET, make_feed

MINE, OURS, ALL = "/volunteers/me/calendar-feeds", "/partners/me/calendar-feeds", "/calendar-feeds"
DAY = timedelta(days=1)
TITLE = "净滩, 海洋;保护 🌊"


@pytest.fixture
def shift(door: Door) -> Shift:
    def make(tx: Any) -> Shift:
        partner = make_partner(tx, programme_id=door.programme_id, name="绿叶")
        listing = make_listing(
            tx, programme_id=door.programme_id, partner_id=partner.id, title=TITLE, city="厦门", place="环岛路沙滩",
            description="和居民一起清理海滩垃圾。\n自带水杯。",
        )  # fmt: skip
        return make_shift(tx, listing=listing, starts_at=NINE + 9 * DAY, ends_at=NOON + 9 * DAY)

    return door.put_in(make)


def own(door: Door, shift: Shift, **place: Any) -> Door:
    """Be a volunteer with a place on the shift."""
    person = door.put_in(
        lambda tx: make_sign_up(
            tx, shift, volunteer=make_volunteer(tx, programme_id=door.programme_id, display_name="小跳"), **place
        )
    ).volunteer_id
    return door.by(Role.VOLUNTEER, person_id=person)


def read(door: Door, address: str, **headers: str) -> Any:
    """Read an address as a calendar program does: without a token, from an address that has not called yet."""
    door.client.app.state.visitors = RateLimiter(60)  # type: ignore[attr-defined]  # It is our FastAPI.
    return door.client.get(address, headers=headers)


def asked(door: Door, path: str, **body: Any) -> Any:
    answer = door.post(path, **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def calendar(door: Door, path: str, **body: Any) -> Any:
    answer = read(door, asked(door, path, **body)["address"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8"), answer.text
    return icalendar.Calendar.from_ical(answer.content)


def rows_of(tx: Session, table: str) -> list[Any]:
    """Return all rows of a table."""
    return list(tx.execute(text(f"SELECT * FROM {table}")))  # noqa: S608  Of ours.


class TestCalendar:
    @pytest.mark.parametrize(
        ("language", "name", "host"),
        [("zh", "跳跳糖：我的志愿服务", "主办：绿叶"), ("en", "Popcandy: my volunteering", "Host: 绿叶")],
    )
    def test_of_a_volunteer_shows_their_own_shifts(
        self, door: Door, shift: Shift, language: str, name: str, host: str
    ) -> None:
        """When, what, where and by whom, as a program reads it."""
        found = calendar(own(door, shift), MINE, language=language)
        [event] = found.events

        assert found.calendar_name == name
        assert (event["SUMMARY"], event["LOCATION"]) == (TITLE, "厦门 环岛路沙滩")
        assert event["DESCRIPTION"] == f"{host}\n和居民一起清理海滩垃圾。\n自带水杯。"
        assert (event.start, event.end) == (NINE + 9 * DAY, NOON + 9 * DAY)
        assert str(event["DTSTART"].params["TZID"]) == "Asia/Shanghai"
        assert (event["STATUS"], event["TRANSP"], event["SEQUENCE"]) == ("CONFIRMED", "OPAQUE", 0)

    @pytest.mark.parametrize(
        ("state", "status", "summary"),
        [
            (State.OFFERED, "TENTATIVE", f"待确认：{TITLE}"), (State.WAITLISTED, "TENTATIVE", f"候补：{TITLE}"),
            (State.WITHDRAWN, "CANCELLED", f"不参加：{TITLE}"),
            (State.CANCELLED_BY_HOST, "CANCELLED", f"已取消：{TITLE}"),
            (State.NO_SHOW, "CONFIRMED", TITLE),
        ],
    )  # fmt: skip
    def test_says_how_the_person_stands(
        self, door: Door, shift: Shift, state: State, status: str, summary: str
    ) -> None:
        """In the line, asked, gone; of who did not come no reproach stands there."""
        [event] = calendar(own(door, shift, state=state), MINE).events

        assert (event["STATUS"], event["SUMMARY"]) == (status, summary)
        assert event["TRANSP"] == ("OPAQUE" if status == "CONFIRMED" else "TRANSPARENT")
        assert ("名额保留至 2022-06-01 12:00" in event["DESCRIPTION"]) is (state is State.OFFERED)

    def test_that_a_shift_is_off_comes_before_that_one_is_out(self, door: Door, shift: Shift) -> None:
        """Who had given the place back hears that there is nothing to come back to."""
        volunteer = own(door, shift, state=State.WITHDRAWN)
        assert door.decide(f"/shifts/{shift.id}", "no-go", reason="人数不足").status_code == 200

        [event] = calendar(volunteer, MINE).events
        assert (event["STATUS"], event["SUMMARY"]) == ("CANCELLED", f"已取消：{TITLE}")

    @pytest.mark.parametrize(("length", "shown"), [(300, "滩" * 300), (301, "滩" * 299 + "…")])
    def test_has_the_beginning_of_what_an_activity_says(self, door: Door, length: int, shown: str) -> None:
        """300 characters of it: a calendar is read on a phone."""

        def make(tx: Session) -> Shift:
            listing = make_listing(tx, programme_id=door.programme_id, description="滩" * length)
            return make_shift(tx, listing=listing)

        [event] = calendar(own(door, door.put_in(make)), MINE).events
        assert event["DESCRIPTION"] == f"主办：绿叶\n{shown}"

    def test_of_a_partner_shows_its_shifts_and_nobody(self, door: Door, shift: Shift) -> None:
        """How many have signed up, and no name; of another partner nothing."""
        own(door, shift)
        door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        host = door.by(Role.PARTNER, partner_id=shift.partner_id)
        found = calendar(host, OURS, language="zh")

        [event] = found.events
        assert found.calendar_name == "跳跳糖：绿叶"
        assert event["DESCRIPTION"].startswith("主办：绿叶\n名额 10，已报 1，至少 1 人成行\n")
        assert "小跳" not in found.to_ical().decode()

    def test_of_the_programme_shows_all(self, door: Door, shift: Shift) -> None:
        """And nothing of another programme."""
        door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        door.put_in(lambda tx: make_shift(tx, programme_id=uuid4()))
        found = calendar(door, ALL, language="en")

        assert shift.starts_at in {event.start for event in found.events}
        assert found.calendar_name == "Popcandy: all shifts"
        assert len(found.events) == 2
        assert "Places 10, taken 0, at least 1" in found.events[1]["DESCRIPTION"]

    def test_follows_a_shift_that_is_moved_and_cancelled(self, door: Door, shift: Shift) -> None:
        """The same event, later ones on top of earlier ones, in the volunteer's calendar and in the host's."""
        volunteer, host = own(door, shift), door.by(Role.PARTNER, partner_id=shift.partner_id)
        addresses = [asked(volunteer, MINE)["address"], asked(host, OURS)["address"]]

        def seen() -> list[Any]:
            return [icalendar.Calendar.from_ical(read(door, each).content).events[0] for each in addresses]

        first = seen()
        door.watch.now = NINE + DAY
        times = {"starts_at": (NINE + 10 * DAY).isoformat(), "ends_at": (NOON + 10 * DAY).isoformat()}
        assert door.decide(f"/shifts/{shift.id}", "reschedule", reason="台风", **times).status_code == 200
        moved = seen()
        door.watch.now = NINE + 2 * DAY
        assert door.decide(f"/shifts/{shift.id}", "cancel", reason="台风：张三受伤").status_code == 200
        off = seen()

        for before, after, last in zip(first, moved, off, strict=True):
            assert before["UID"] == after["UID"] == last["UID"]
            assert before["SEQUENCE"] < after["SEQUENCE"] < last["SEQUENCE"]
            assert before.LAST_MODIFIED < after.LAST_MODIFIED < last.LAST_MODIFIED == NINE + 2 * DAY
            assert (after.start, last.start) == (NINE + 10 * DAY, NINE + 10 * DAY)
            assert (after["STATUS"], last["STATUS"]) == ("CONFIRMED", "CANCELLED")
            assert last["SUMMARY"] == f"已取消：{TITLE}"
            assert "张三" not in last.to_ical().decode()

    def test_is_not_sent_to_who_has_it(self, door: Door, shift: Shift) -> None:
        """Until something in it changes; as long as nothing does, the bytes are the same."""
        volunteer = own(door, shift)
        address = asked(volunteer, MINE)["address"]
        first = read(door, address)
        tag = {"If-None-Match": first.headers["etag"]}

        again = read(door, address, **tag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        for kept in ("cache-control", "content-language"):
            assert again.headers[kept] == first.headers[kept]  # A cache takes them over (RFC 9111 section 4.3.4).
        door.watch.now = NINE + timedelta(hours=1)
        assert read(door, address).content == first.content
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["content-language"] == "zh"
        times = {"starts_at": (NINE + 8 * DAY).isoformat(), "ends_at": (NOON + 8 * DAY).isoformat()}
        assert door.decide(f"/shifts/{shift.id}", "reschedule", reason="台风", **times).status_code == 200
        assert read(door, address, **tag).status_code == 200


class TestAddress:
    def test_is_told_once(self, door: Door, shift: Shift) -> None:
        """Neither the list nor the trail has it; with the same key it is told again, to the same person."""
        volunteer = own(door, shift)
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (
            door.client.post(f"/api/activities{MINE}", headers=volunteer.headers() | key, json={}) for _ in range(2)
        )
        secret = first.json()["address"].rpartition("/")[2].removesuffix(".ics")
        [listed] = volunteer.get(ALL).json()["items"]
        tables = ("audit_entry", "kept_answer", "calendar_feed")
        kept = door.put_in(lambda tx: [str(row) for table in tables for row in rows_of(tx, table)])

        assert again.json() == first.json()
        assert listed == {name: value for name, value in first.json().items() if name != "address"}
        assert not [row for row in kept if secret in row]

    @pytest.mark.parametrize("secret", ["x", "a" * 43, "%00", "%ff", "..", "a" * 3000, "😀"])
    def test_that_is_none_leads_nowhere(self, door: Door, secret: str) -> None:
        """Whatever it looks like: malformed, never drawn or revoked is the same answer."""
        answer = read(door, f"/api/activities/calendars/{secret}.ics")

        assert refusal(answer) == (404, "not_found")
        assert "facts" not in answer.json()

    def test_that_was_revoked_leads_nowhere(self, door: Door, shift: Shift) -> None:
        """Told alike."""
        volunteer = own(door, shift)
        feed = asked(volunteer, MINE)
        path = f"{ALL}/{feed['id']}/revocation"
        revoked, again = volunteer.post(path), volunteer.post(path)

        assert revoked.json()["revoked_at"] is not None
        assert again.json() == revoked.json()
        gone, never = read(door, feed["address"]), read(door, "/api/activities/calendars/x.ics")
        assert refusal(gone) == (404, "not_found")
        told = ({name: value for name, value in each.json().items() if name != "trace_id"} for each in (gone, never))
        assert next(told) == next(told)

    def test_is_replaced_in_one_step(self, door: Door, shift: Shift) -> None:
        """By one's own; another's is not there."""
        volunteer, stranger = own(door, shift), own(door, shift)
        old = asked(volunteer, MINE)
        assert refusal(stranger.post(MINE, replaces=old["id"])) == (404, "not_found")
        new = asked(volunteer, MINE, replaces=old["id"])

        assert refusal(read(door, old["address"])) == (404, "not_found")
        assert read(door, new["address"]).status_code == 200

    def test_goes_with_its_person(self, door: Door, shift: Shift) -> None:
        """An erasure takes it, and a copy of one's data shows it before."""
        volunteer = own(door, shift)
        feed = asked(volunteer, MINE)
        shown = volunteer.get("/volunteers/me/data").json()["calendar_feeds"]
        assert [each["id"] for each in shown] == [feed["id"]]
        assert volunteer.post("/volunteers/me/erasure", confirmed=True).is_success

        assert refusal(read(door, feed["address"])) == (404, "not_found")

    def test_is_tried_so_often_a_minute(self, door: Door) -> None:
        """As at other open doors."""
        door.client.app.state.visitors = RateLimiter(2)  # type: ignore[attr-defined]  # It is our FastAPI.
        path = "/api/activities/calendars/x.ics"
        assert [door.client.get(path).status_code for _ in range(3)] == [404, 404, 429]


def test_who_may_ask_for_what(door: Door, shift: Shift) -> None:
    """Each for what they see anyway; what is sent has to be known."""
    host, volunteer = door.by(Role.PARTNER, partner_id=shift.partner_id), own(door, shift)
    for somebody, path in ((host, MINE), (host, ALL), (volunteer, OURS), (volunteer, ALL), (door, MINE), (door, OURS)):
        assert refusal(somebody.post(path)) == (403, "missing_permission")
    for body in ({"language": "fr"}, {"kind": "programme"}, {"replaces": "x"}):
        assert refusal(volunteer.post(MINE, **body)) == (422, "invalid_input")
    assert refusal(door.by(Role.VOLUNTEER).post(MINE)) == (404, "not_found")


def test_a_list_shows_what_may_be_revoked(door: Door, shift: Shift) -> None:
    """One's own, one's partner's, or all of the programme's."""
    host, volunteer = door.by(Role.PARTNER, partner_id=shift.partner_id), own(door, shift)
    made = [asked(volunteer, MINE), asked(host, OURS), asked(door, ALL)]
    door.put_in(lambda tx: make_feed(tx, secret=SECRET + str(door.programme_id)))

    def listed(somebody: Door) -> set[str]:
        return {each["id"] for each in somebody.get(ALL).json()["items"]}

    assert listed(door) == {each["id"] for each in made}
    assert listed(volunteer) == {made[0]["id"]}
    colleague = door.by(Role.PARTNER, partner_id=shift.partner_id)
    assert listed(host) == listed(colleague) == {made[1]["id"]}
