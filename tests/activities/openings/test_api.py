from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.activities.listings.actions import NewListing, NewShift, publish
from services.activities.listings.queries import list_shifts
from services.activities.listings.rules import Times
from services.activities.listings.tables import Listing
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_partner, make_sign_up

BEFORE = NINE - timedelta(days=2)


@pytest.fixture
def listing(door: Door) -> Listing:
    """Publish one with two shifts for one person each, and look two days before them."""
    door.watch.now = BEFORE

    def make(tx: Session) -> Listing:
        partner = make_partner(tx, programme_id=door.programme_id, name="绿叶")
        times = Times(NINE, NOON), Times(NINE + timedelta(days=1), NOON + timedelta(days=1))
        shifts = tuple(NewShift(number, each, 1) for number, each in enumerate(times, start=1))
        new = NewListing(
            partner.id, "L1", "社区净滩", "Asia/Shanghai", shifts, mode="on_site", city="厦门", place="环岛路",
            skills=("driving", "体力"),
        )  # fmt: skip
        return publish(tx, programme_id=door.programme_id, listing=new, now=BEFORE)

    return door.put_in(make)


def test_a_volunteer_finds_what_is_to_come(door: Door, listing: Listing) -> None:
    """With all that somebody decides by, the line too."""
    own = door.by(Role.VOLUNTEER)

    page = own.get("/openings", text="净滩", limit=1).json()

    (item,) = page["items"]
    assert item == {
        "id": item["id"],
        "listing_id": str(listing.id),
        "listing_reference": "L1",
        "title": "社区净滩",
        "partner_id": str(listing.partner_id),
        "partner_name": "绿叶",
        "mode": "on_site",
        "city": "厦门",
        "place": "环岛路",
        "skills": ["driving", "体力"],
        "timezone": "Asia/Shanghai",
        "starts_at": "2022-06-01T01:00:00Z",
        "ends_at": "2022-06-01T04:00:00Z",
        "service_on": "2022-06-01",
        "capacity": 1,
        "minimum": 1,
        "taken": 0,
        "free": 1,
        "waitlisted": 0,
        "awaits_draw": False,
    }
    rest = own.get("/openings", text="净滩", limit=1, cursor=page["next"]).json()
    assert [each["service_on"] for each in rest["items"]] == ["2022-06-02"]
    assert rest["next"] is None


def test_a_full_shift_shows_its_line(door: Door, listing: Listing) -> None:
    """Nobody has a place there any more, and one person waits."""

    def fill(tx: Session) -> None:
        shift = list_shifts(tx, [listing.id])[0]
        make_sign_up(tx, shift)
        make_sign_up(tx, shift, state="waitlisted")

    door.put_in(fill)

    first = door.get("/openings", has_room=False).json()["items"]
    assert [(each["free"], each["taken"], each["waitlisted"]) for each in first] == [(0, 1, 1)]


def test_others_see_their_own(door: Door, listing: Listing) -> None:
    """A partner's member that partner's, another programme nothing; finance has no use for it."""
    host = door.by(Role.PARTNER, partner_id=listing.partner_id)
    assert len(host.get("/openings").json()["items"]) == 2
    assert door.by(Role.PARTNER, partner_id=listing.id).get("/openings").json()["items"] == []
    assert door.elsewhere().get("/openings").json()["items"] == []
    assert door.by(Role.FINANCE).get("/openings").status_code == 403


@pytest.mark.parametrize("asked", [{"text": "x" * 501}, {"text": "a\x00"}, {"mode": "in_space"}, {"part": "night"}])
def test_bad_questions_are_refused(door: Door, asked: dict[str, str]) -> None:
    """By field; signs are no question of their own and find nothing."""
    assert refusal(door.get("/openings", **asked)) == (422, "invalid_input")
    assert door.get("/openings", text="%_'\\").json()["items"] == []


def test_the_whole_list_is_a_file(door: Door, listing: Listing) -> None:
    """Skills in one cell."""
    answer = door.get("/openings", format="csv")

    assert "driving, 体力" in answer.text
    assert listing.reference in answer.text
