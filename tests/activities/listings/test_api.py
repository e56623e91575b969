from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.partners.tables import Partner
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_listing, make_partner, make_shift


@pytest.fixture
def partner(door: Door) -> Partner:
    return door.put_in(lambda tx: make_partner(tx, programme_id=door.programme_id))


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


def listing(partner: Partner, **overrides: Any) -> dict[str, Any]:
    shifts = [{"starts_at": NINE.isoformat(), "ends_at": NOON.isoformat(), "capacity": 10}]
    body = {"partner_id": str(partner.id), "reference": "L1", "title": "净滩", "shifts": shifts}
    return body | overrides


class TestPublish:
    def test_a_partner_publishes_for_itself(self, door: Door, partner: Partner) -> None:
        """Its shifts are numbered in order; the secret behind the code is told to nobody."""
        own = door.by(Role.PARTNER, partner_id=partner.id)

        answer = own.post("/listings", **listing(partner))

        assert answer.status_code == 201
        made = answer.json()
        assert (made["reference"], made["timezone"], made["partner_id"]) == ("L1", "Asia/Shanghai", str(partner.id))
        [shift] = made["shifts"]
        assert shift == {
            "id": shift["id"], "number": 1, "starts_at": "2022-06-01T01:00:00Z", "ends_at": "2022-06-01T04:00:00Z",
            "service_on": "2022-06-01", "capacity": 10, "minimum": 1, "taken": 0, "state": "open", "awaits_draw": False,
            "cancelled_because": None, "not_run": None, "closed_at": None, "rescheduled_at": None,
        }  # fmt: skip
        assert (made["state"], made["ended_at"], made["cancelled_because"]) == ("published", None, None)
        assert own.get(f"/listings/{made['id']}").json() == made
        assert own.get("/listings").json() == {"items": [made], "next": None}
        assert own.get(f"/shifts/{shift['id']}").json() == shift | {
            "listing_id": made["id"], "listing_reference": "L1", "listing_title": "净滩", "partner_id": str(partner.id),
            "timezone": "Asia/Shanghai",
        }  # fmt: skip

    def test_a_shift_that_repeats_is_as_many_shifts(self, door: Door, partner: Partner) -> None:
        """Each with a number and a code of its own, as the preview shows them; between them one that does not."""
        weekly = {"weekdays": [3, 6], "until": "2022-06-12", "except_on": ["2022-06-08"]}
        body = listing(partner)
        [shift] = body["shifts"]
        body["shifts"] = [shift | {"capacity": 3, "minimum": 2, "repeats": weekly}, shift]
        plan = {"shifts": body["shifts"], "timezone": "Asia/Shanghai"}

        previewed = door.by(Role.PARTNER, partner_id=partner.id).post("/shift-previews", **plan)
        assert previewed.status_code == 200, previewed.text
        assert door.get("/listings").json()["items"] == []
        made = door.post("/listings", **body).json()["shifts"]

        shown = previewed.json()["items"]
        assert shown == [{name: each[name] for name in shown[0]} for each in made]
        assert [(each["number"], each["service_on"], each["capacity"], each["minimum"]) for each in made] == [
            (1, "2022-06-01", 3, 2), (2, "2022-06-04", 3, 2), (3, "2022-06-11", 3, 2), (4, "2022-06-01", 10, 1)
        ]  # fmt: skip
        rows = select(Shift.code_secret).where(Shift.programme_id == door.programme_id)
        assert len(set(door.put_in(lambda tx: tx.scalars(rows).all()))) == 4

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"repeats": {}}, (422, "bad_repetition")),
            ({"repeats": {"count": 2, "until": "2022-07-01"}}, (422, "bad_repetition")),
            ({"repeats": {"count": 2, "weekdays": [1]}}, (422, "bad_repetition")),
            ({"repeats": {"until": "9999-12-31", "weekdays": [1, 2, 3, 4, 5, 6, 7]}}, (422, "too_many_shifts")),
            ({"repeats": {"count": 200, "weekdays": [1, 2, 3, 4, 5, 6, 7]}}, None),
            ({"repeats": {"count": 201}}, (422, "invalid_input")), ({"repeats": {"count": 0}}, (422, "invalid_input")),
            ({"repeats": {"count": 2, "weekdays": [8]}}, (422, "invalid_input")),
            ({"repeats": {"count": 2, "every_weeks": 0}}, (422, "invalid_input")),
            ({"repeats": {"count": 2, "daily": True}}, (422, "invalid_input")),
            ({"repeats": {"count": 2}, "minimum": 11}, (422, "bad_shift")),
            ({"repeats": {"count": 2}, "ends_at": "2022-06-01T00:00:00Z"}, (422, "bad_shift")),
        ],
    )  # fmt: skip
    def test_a_preview_refuses_what_publishing_does(
        self, door: Door, partner: Partner, change: dict[str, Any], expected: tuple[int, str] | None
    ) -> None:
        """By the same rules, so that what was previewed can be published."""
        body = listing(partner)
        body["shifts"] = [body["shifts"][0] | change]
        previewed, published = door.post("/shift-previews", shifts=body["shifts"]), door.post("/listings", **body)

        if expected is None:
            assert (previewed.status_code, published.status_code) == (200, 201)
            assert len(previewed.json()["items"]) == len(published.json()["shifts"]) == 200
        else:
            assert refusal(previewed) == refusal(published) == expected
            assert previewed.json().get("facts") == published.json().get("facts")

    def test_clocks_that_change_are_said_by_date(self, door: Door, partner: Partner) -> None:
        """In the zone of the listing; left out, the others keep their local time."""
        body = listing(partner, timezone="America/New_York")
        night = {"starts_at": "2022-03-06T07:30:00Z", "ends_at": "2022-03-06T09:00:00Z", "capacity": 2}
        body["shifts"] = [night | {"repeats": {"count": 3}}]
        refused = door.post("/listings", **body)

        assert refusal(refused) == (422, "unclear_local_time")
        assert refused.json()["facts"] == {"field": "shifts.0.repeats", "on": "2022-03-13", "at": "02:30"}
        body["shifts"] = [night | {"repeats": {"count": 3, "except_on": ["2022-03-13"]}}]
        made = door.post("/listings", **body).json()["shifts"]
        assert [each["starts_at"] for each in made] == ["2022-03-06T07:30:00Z", "2022-03-20T06:30:00Z"]
        assert refusal(door.post("/shift-previews", shifts=body["shifts"], timezone="Mars")) == (
            422,
            "unknown_timezone",
        )

    def test_not_for_another_partner(self, door: Door, partner: Partner) -> None:
        """Though an operator may publish for any."""
        other = door.by(Role.PARTNER, partner_id=uuid4())
        assert refusal(other.post("/listings", **listing(partner))) == (403, "other_partner")
        assert door.post("/listings", **listing(partner)).status_code == 201

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
            ({"timezone": "America"}, "unknown_timezone"),
            ({"partner_id": str(uuid4())}, "unknown_partner"),
            ({"shifts": []}, "invalid_input"),
            ({"title": "\0"}, "invalid_input"),
            ({"shifts": [{"starts_at": NOON.isoformat(), "ends_at": NINE.isoformat(), "capacity": 1}]}, "bad_shift"),
            (
                {"shifts": [{"starts_at": "2022-13-40T09:00Z", "ends_at": NOON.isoformat(), "capacity": 1}]},
                "invalid_input",
            ),
            (
                {"shifts": [{"starts_at": "2022-06-01T09:00", "ends_at": NOON.isoformat(), "capacity": 1}]},
                "invalid_input",
            ),
            (
                {"shifts": [{"starts_at": NINE.isoformat(), "ends_at": NOON.isoformat(), "capacity": 0}]},
                "invalid_input",
            ),
        ],
    )
    def test_what_cannot_happen_is_not_published(
        self, door: Door, partner: Partner, change: dict[str, Any], code: str
    ) -> None:
        """A date that is none, a time without an offset, a shift that ends before it starts."""
        assert refusal(door.post("/listings", **listing(partner, **change))) == (422, code)
        assert door.get("/listings").json()["items"] == []

    def test_a_reference_is_used_once(self, door: Door, partner: Partner) -> None:
        """The second is told."""
        door.post("/listings", **listing(partner))
        assert refusal(door.post("/listings", **listing(partner))) == (409, "reference_taken")


class TestRead:
    def test_partners_see_their_own_rows_only(self, door: Door, shift: Shift) -> None:
        """Volunteers see what they may join; another programme sees nothing."""
        path = f"/shifts/{shift.id}"
        own = door.by(Role.PARTNER, partner_id=shift.partner_id)
        other = door.by(Role.PARTNER, partner_id=uuid4())
        for caller in (door, own, door.by(Role.VOLUNTEER), door.by(Role.REVIEWER)):
            assert caller.get(path).status_code == 200
            assert len(caller.get("/listings").json()["items"]) == 1
        for caller in (other, door.elsewhere(), door.elsewhere().by(Role.VOLUNTEER)):
            assert refusal(caller.get(path)) == (404, "not_found")
            assert caller.get("/listings").json() == {"items": [], "next": None}

    def test_pages_are_newest_first(self, door: Door, partner: Partner) -> None:
        """And join without a gap."""
        made = [door.post("/listings", **listing(partner, reference=f"L{number}")).json()["id"] for number in range(3)]

        first = door.get("/listings", limit=2).json()
        second = door.get("/listings", limit=2, cursor=first["next"]).json()

        assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]

    def test_an_id_that_is_none_is_refused(self, door: Door) -> None:
        """As any input that is not what it should be."""
        assert refusal(door.get("/shifts/not-an-id")) == (422, "invalid_input")
        assert refusal(door.get(f"/shifts/{uuid4()}")) == (404, "not_found")


def test_a_shift_in_another_zone_has_the_date_of_that_zone(door: Door, partner: Partner) -> None:
    """Late in New York is already tomorrow in Greenwich."""
    starts_at = NINE + timedelta(hours=1)  # 22:00 on 31 May in New York.
    shifts = [{"starts_at": starts_at.isoformat(), "ends_at": NOON.isoformat(), "capacity": 1}]
    answer = door.post("/listings", **listing(partner, timezone="America/New_York", shifts=shifts))
    assert answer.json()["shifts"][0]["service_on"] == "2022-05-31"


def test_listings_are_a_file_with_a_row_each(door: Door) -> None:
    """Their shifts are counted; a partner's member has its own."""
    mine = door.put_in(lambda tx: make_listing(tx, programme_id=door.programme_id, title="=1+1"))
    door.put_in(lambda tx: make_shift(tx, listing=mine))
    door.put_in(lambda tx: make_listing(tx, programme_id=door.programme_id))

    found = door.get("/listings", format="csv", sort="published_at").content.decode("utf-8-sig").splitlines()
    own = door.by(Role.PARTNER, partner_id=mine.partner_id).get("/listings", format="csv").text.splitlines()

    columns = (
        "Id,Partner id,Reference,Title,Time zone,Published at,Proposal id,Mode,City,Place,Description,"
        "Criteria,Minutes a piece,State,Ended at,Cancelled because,Shifts"
    )
    assert found[0] == ",".join(f'"{column}"' for column in columns.split(","))
    assert len(found) == 3
    assert found[1].endswith('"\'=1+1","Asia/Shanghai","2022-06-01T01:00:00Z","","","","","","","","published","","",1')
    assert own[1:] == [found[1]]


class TestBrowse:
    """What a volunteer looks for, and where."""

    @pytest.fixture
    def shifts(self, door: Door) -> list[Shift]:
        """Publish three: later, sooner and full."""

        def make(tx: Session) -> list[Shift]:
            owner = {"programme_id": door.programme_id}
            beach, park = (make_listing(tx, title=title, **owner) for title in ("净滩 Beach 50%", "公园导览"))
            return [
                make_shift(tx, listing=beach, starts_at=NINE + timedelta(days=1), ends_at=NOON + timedelta(days=1)),
                make_shift(tx, listing=beach, number=2),
                make_shift(tx, listing=park, capacity=3, taken=3, state="go"),
            ]

        return door.put_in(make)

    def found(self, door: Door, shifts: list[Shift], **asked: Any) -> list[int]:
        """Return which of the shifts a volunteer finds, by place."""
        items = door.by(Role.VOLUNTEER).get("/shifts", **asked).json()["items"]
        return [[str(shift.id) for shift in shifts].index(item["id"]) for item in items]

    def test_shifts_are_found_soonest_first(self, door: Door, shifts: list[Shift]) -> None:
        """With what they are occasions of; those of another programme are not."""
        assert self.found(door, shifts) in ([1, 2, 0], [2, 1, 0])
        assert self.found(door.elsewhere(), shifts) == []
        item = door.get("/shifts", starts_from="2022-06-02T00:00:00Z").json()["items"][0]
        assert item == door.get(f"/shifts/{shifts[0].id}").json()
        own = door.by(Role.PARTNER, partner_id=shifts[2].partner_id).get("/shifts").json()["items"]
        assert [each["id"] for each in own] == [str(shifts[2].id)]

    @pytest.mark.parametrize(
        ("asked", "places"),
        [
            ({"has_room": "true"}, [1, 0]), ({"has_room": "false"}, [2]), ({"state": "go"}, [2]),
            ({"search": "滩"}, [1, 0]), ({"search": "beach"}, [1, 0]), ({"search": "50%"}, [1, 0]),
            ({"search": "5%0"}, []),
            ({"search": "_"}, []), ({"starts_until": "2022-06-01T01:00:00Z"}, []),
            ({"starts_until": "2022-06-02T01:00:00Z", "has_room": "true"}, [1]),
        ],
    )  # fmt: skip
    def test_and_by_what_is_looked_for(
        self, door: Door, shifts: list[Shift], asked: dict[str, str], places: list[int]
    ) -> None:
        """Free places, state, time, and words of the title as they are written."""
        assert self.found(door, shifts, **asked) == places

    def test_what_the_database_could_not_hold_is_refused(self, door: Door) -> None:
        """By field, as everywhere."""
        for path in ("/shifts", "/listings"):
            assert refusal(door.get(path, search="\0")) == (422, "invalid_input")

    @pytest.mark.parametrize(("text", "count"), [("导览", 1), ("净滩", 1), ("BEACH", 1), ("", 2), ("爬山", 0)])
    def test_activities_are_found_by_their_title(
        self, door: Door, shifts: list[Shift], text: str, count: int
    ) -> None:  # fmt: skip
        """In Chinese and English."""
        assert len(door.get("/listings", search=text).json()["items"]) == count
        assert len(shifts) == 3
