"""Calls about listings, shifts and places on them."""

from datetime import datetime, timedelta
from typing import Any

from services.activities.listings.tables import Shift
from shared.roles import Role
from tests.activities.calls.call import REASON, Call, Make
from tests.activities.door import Door
from tests.factories.activities import (
    NINE,
    NOON,
    make_shift,
    make_sign_up,
    make_volunteer,
)
from tests.factories.calendar_feeds import make_feed

LATER = {"starts_at": "2022-07-01T01:00:00Z", "ends_at": "2022-07-01T04:00:00Z", "reason": "台风"}


def of_shift(how: str, body: dict[str, Any] | None = None, *, at: datetime = NINE - timedelta(days=1)) -> Make:
    """Make a decision about a shift that is to come, or that should have been."""

    def call(door: Door) -> Call:
        door.watch.now = at
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        on, counts = door.get(f"/shifts/{shift.id}").headers["etag"], {"shift": {"changed": 1}}
        return Call(door, "POST", f"/shifts/{shift.id}/{how}", {"json": body} if body else {}, counts, on)

    return call


def declare_draw(door: Door) -> Call:
    door.watch.now = NINE - timedelta(days=2)
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    on, counts = door.get(f"/shifts/{shift.id}").headers["etag"], {"shift": {"changed": 1}, "draw": {"added": 1}}
    body = {"draws_at": (NINE - timedelta(days=1)).isoformat()}
    return Call(door, "POST", f"/shifts/{shift.id}/draw", {"json": body}, counts, on)


def of_listing(how: str, body: dict[str, Any] | None = None) -> Make:
    """Make a decision about an activity with one shift that is to come."""

    def call(door: Door) -> Call:
        door.watch.now = NINE - timedelta(days=1)
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        path = f"/listings/{shift.listing_id}"
        counts = {"listing": {"changed": 1}, "shift": {"changed": 1}}
        on = door.get(path).headers["etag"]
        return Call(door, "POST", f"{path}/{how}", {"json": body} if body else {}, counts, on)

    return call


def sign_up(door: Door) -> Call:
    shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
    person = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
    own = door.by(Role.VOLUNTEER, person_id=person.id)
    counts = {"sign_up": {"added": 1}, "shift": {"changed": 1}}
    return Call(own, "POST", f"/shifts/{shift.id}/sign-ups", {}, counts)


def of_sign_up(how: str, *, state: str, becomes: str, taken: int, body: dict[str, str] | None = None) -> Make:
    """Make a call of a volunteer about their own sign-up, which was in a state and comes to another."""

    def call(door: Door) -> Call:
        door.watch.now = NINE - timedelta(days=2)
        shift = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        place = door.put_in(lambda tx: make_sign_up(tx, tx.get_one(Shift, shift.id), state=state))
        own = door.by(Role.VOLUNTEER, person_id=place.volunteer_id)
        counts = {"sign_up": {becomes: 1}} | ({"shift": {"changed": 1}} if taken else {})
        return Call(own, "POST", f"/sign-ups/{place.id}/{how}", {"json": body} if body else {}, counts)

    return call


def excuse(door: Door) -> Call:
    by_itself = of_sign_up("excuse", state="confirmed", becomes="excused", taken=-1, body=REASON)(door)
    by_itself.door, by_itself.on = door, door.get(by_itself.path.removesuffix("/excuse")).headers["etag"]
    return by_itself


def feed_of(role: Role, path: str) -> Make:
    """Ask for a calendar feed as somebody of a role."""

    def asked(door: Door) -> Call:
        known = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))
        person = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id))
        caller = door.by(role, person_id=person.id, partner_id=known.partner_id)
        return Call(caller, "POST", path, {"json": {"language": "en"}}, {"calendar_feed": {"added": 1}})

    return asked


def revoke_feed(door: Door) -> Call:
    feed = door.put_in(lambda tx: make_feed(tx, programme_id=door.programme_id))
    path = f"/calendar-feeds/{feed.id}/revocation"
    return Call(door, "POST", path, {}, {"calendar_feed": {"changed": 1}})


CALLS: dict[str, Make] = {
    "request_own_calendar_feed": feed_of(Role.VOLUNTEER, "/volunteers/me/calendar-feeds"),
    "request_host_calendar_feed": feed_of(Role.PARTNER, "/partners/me/calendar-feeds"),
    "request_programme_calendar_feed": feed_of(Role.OPERATOR, "/calendar-feeds"),
    "revoke_calendar_feed": revoke_feed,
    "decide_go": of_shift("go"),
    "decide_no_go": of_shift("no-go", {"reason": "人数不足"}),
    "cancel_shift": of_shift("cancel", {"reason": "台风"}),
    "record_not_run": of_shift("not-run", {"reason": "台风", "code": "weather"}, at=NOON),
    "reschedule_shift": of_shift("reschedule", LATER),
    "declare_draw": declare_draw,
    "close_listing": of_listing("close"),
    "cancel_listing": of_listing("cancel", {"reason": "停办"}),
    "sign_up": sign_up,
    "accept_offer": of_sign_up("accept", state="offered", becomes="confirmed", taken=0),
    "decline_offer": of_sign_up("decline", state="offered", becomes="withdrawn", taken=-1),
    "withdraw_sign_up": of_sign_up(
        "withdraw", state="confirmed", becomes="withdrawn", taken=-1, body={"because": "出差"}
    ),
    "excuse_sign_up": excuse,
}
