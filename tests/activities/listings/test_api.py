from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.activities.listings.tables import Partner, Shift
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_listing, make_partner, make_shift

FACTS = {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}
CHANGED = FACTS | {"name": "绿叶公益", "agreement": "carried_over"}


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


class TestPartners:
    def test_a_partner_is_noted_and_changed(self, door: Door) -> None:
        """By its reference; again is the same partner."""
        first = door.call("PUT", "/partners/P1", json=FACTS)
        again = door.change("/partners/P1", on=first.headers["etag"], **CHANGED)

        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == door.get("/partners/P1").json()
        expected = {"id": first.json()["id"], "reference": "P1", "name": "绿叶公益", "agreement": "carried_over"}
        assert again.json() == expected | {"since": "2022-01-01"}

    @pytest.mark.parametrize(
        ("reference", "change"),
        [("P" * 41, {}), ("P1", {"agreement": "none"}), ("P1", {"since": "2022-13-40"}), ("P1", {"name": ""}),
         ("P1", {"name": "a\0"}), ("P%00", {})],
    )  # fmt: skip
    def test_what_cannot_be_a_partner_is_refused(self, door: Door, reference: str, change: dict[str, str]) -> None:
        """A date must be one, an agreement of a known kind."""
        assert refusal(door.call("PUT", f"/partners/{reference}", json=FACTS | change)) == (422, "invalid_input")


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
            "service_on": "2022-06-01", "capacity": 10, "taken": 0, "state": "open", "cancelled_because": None,
        }  # fmt: skip
        assert own.get("/listings").json() == {"items": [made], "next": None}
        assert own.get(f"/shifts/{shift['id']}").json() == shift | {
            "listing_id": made["id"], "listing_reference": "L1", "listing_title": "净滩", "partner_id": str(partner.id),
            "timezone": "Asia/Shanghai",
        }  # fmt: skip

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


class TestCancel:
    def test_a_shift_is_called_off_once(self, door: Door, shift: Shift) -> None:
        """The reason is shown; again changes nothing."""
        path = f"/shifts/{shift.id}"
        answer = door.by(Role.PARTNER, partner_id=shift.partner_id).decide(path, "cancel", reason="台风")
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["cancelled_because"]) == ("cancelled", "台风")
        assert door.decide(path, "cancel", reason="下雨").json() == answer.json()

    def test_not_anothers(self, door: Door, shift: Shift) -> None:
        """It looks as if it did not exist, and goes on."""
        path = f"/shifts/{shift.id}"
        for caller in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
            assert refusal(caller.decide(path, "cancel", reason="台风")) == (404, "not_found")
        assert refusal(door.decide(path, "cancel", reason="")) == (422, "invalid_input")
        assert door.get(f"/shifts/{shift.id}").json()["state"] == "open"

    def test_not_when_somebody_came(self, door: Door) -> None:
        """The shift happens."""
        running = door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id, state="running"))
        assert refusal(door.decide(f"/shifts/{running.id}", "cancel", reason="台风")) == (409, "shift_has_attendance")


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

    assert found[0] == '"Id","Partner id","Reference","Title","Time zone","Published at","Shifts"'
    assert len(found) == 3
    assert found[1].endswith('"\'=1+1","Asia/Shanghai","2022-06-01T01:00:00Z",1')
    assert own[1:] == [found[1]]
