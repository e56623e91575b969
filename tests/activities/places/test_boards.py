from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.places.rules import Fill
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, make_listing, make_partner, make_shift, make_sign_up, make_volunteer

DAY = timedelta(days=1)
WEEK = {"since": "2022-06-01", "until": "2022-06-08"}


class TestOwn:
    @pytest.fixture
    def person(self, door: Door) -> Volunteer:
        """Sign somebody up for a shift that is over, one that begins, and one to come, for which two wait before."""

        def make(tx: Session) -> Volunteer:
            person = make_volunteer(tx, programme_id=door.programme_id)
            for days, state in ((-1, "attended"), (0, "confirmed"), (1, "waitlisted")):
                times = {"starts_at": NINE + days * DAY, "ends_at": NOON + days * DAY}
                shift = make_shift(tx, programme_id=door.programme_id, capacity=1, **times)  # type: ignore[arg-type]  # Instants.
                before, after = NINE - 3 * DAY, NINE - DAY
                for at in (before, before, after):
                    make_sign_up(tx, shift, state="waitlisted", signed_up_at=at)
                make_sign_up(tx, shift, volunteer=person, state=state, signed_up_at=NINE - 2 * DAY)
            return person

        return door.put_in(make)

    def test_what_is_to_come_and_what_is_over(self, door: Door, person: Volunteer) -> None:
        """Each with its shift and activity; the place in the line of who waits."""
        own = door.by(Role.VOLUNTEER, person_id=person.id)

        upcoming, past = (own.get("/sign-ups/mine", **asked).json()["items"] for asked in ({}, {"when": "past"}))

        assert [(item["state"], item["position"]) for item in upcoming] == [("confirmed", None), ("waitlisted", 3)]
        assert [item["state"] for item in past] == ["attended"]
        assert upcoming[0]["shift"] == door.get(f"/shifts/{upcoming[0]['shift_id']}").json()
        door.watch.now = NOON
        assert [item["state"] for item in own.get("/sign-ups/mine").json()["items"]] == ["waitlisted"]
        assert len(own.get("/sign-ups/mine", when="past").json()["items"]) == 2

    def test_nobody_elses(self, door: Door, person: Volunteer) -> None:
        """Not even in another programme of the same person's."""
        own = door.by(Role.VOLUNTEER, person_id=person.id)
        for stranger in (door.by(Role.VOLUNTEER), own.elsewhere()):
            assert stranger.get("/sign-ups/mine").json() == {"items": []}
        assert refusal(own.get("/sign-ups/mine", when="never")) == (422, "invalid_input")


class TestBoard:
    @pytest.fixture
    def shifts(self, door: Door) -> list[Shift]:
        def make(tx: Session) -> list[Shift]:
            listing = make_listing(tx, programme_id=door.programme_id)
            first = make_shift(tx, listing=listing, minimum=4)
            for state in ("confirmed", "attended", "missed", "offered", "waitlisted", "waitlisted", "withdrawn"):
                make_sign_up(tx, first, state=state)
            later = make_shift(tx, listing=listing, number=2, starts_at=NINE + DAY, ends_at=NOON + DAY)
            after = make_shift(tx, listing=listing, number=3, service_on=date(2022, 6, 8))
            return [first, later, after]

        return door.put_in(make)

    def test_a_week_shows_who_comes_to_what(self, door: Door, shifts: list[Shift]) -> None:
        """Places, offers, the line, and how many there must be; the last day is excluded."""
        items = door.by(Role.PARTNER, partner_id=shifts[0].partner_id).get("/boards/shifts", **WEEK).json()["items"]

        assert [item["id"] for item in items] == [str(shift.id) for shift in shifts[:2]]
        counts = ("minimum", "taken", "confirmed", "offered", "waitlisted")
        assert [tuple(item[name] for name in counts) for item in items] == [(4, 4, 3, 1, 2), (1, 0, 0, 0, 0)]
        shown: dict[str, Any] = door.get(f"/shifts/{shifts[0].id}").json()
        assert items[0].items() >= shown.items()

    def test_partners_see_their_own(self, door: Door, shifts: list[Shift]) -> None:
        """Staff see all of the programme's."""
        assert door.by(Role.PARTNER, partner_id=uuid4()).get("/boards/shifts", **WEEK).json() == {"items": []}
        assert door.elsewhere().get("/boards/shifts", **WEEK).json() == {"items": []}
        assert len(door.get("/boards/shifts", **WEEK).json()["items"]) == len(shifts) - 1
        assert refusal(door.by(Role.VOLUNTEER).get("/boards/shifts", **WEEK)) == (403, "missing_permission")

    @pytest.mark.parametrize(("until", "is_shown"), [
        ("2022-06-01", False), ("2022-06-02", True), ("2022-07-02", True), ("2022-07-03", False),
    ])  # fmt: skip
    def test_a_board_has_a_month_at_most(self, door: Door, until: str, *, is_shown: bool) -> None:
        """And a day at least."""
        answer = door.get("/boards/shifts", since="2022-06-01", until=until)
        if is_shown:
            assert answer.status_code == 200
        else:
            assert refusal(answer) == (422, "too_many_days")


class TestFill:
    def test_places_that_are_taken_of_those_that_there_are(self, door: Door) -> None:
        """By partner and as a whole; what was called off offers nothing."""

        def make(tx: Any) -> tuple[UUID, UUID]:
            ours, theirs = (make_partner(tx, programme_id=door.programme_id).id for _ in range(2))
            terms: Any = {"programme_id": door.programme_id}
            listing, other = (make_listing(tx, partner_id=each, **terms) for each in (ours, theirs))
            make_shift(tx, listing=listing, capacity=3, taken=2)
            make_shift(tx, listing=listing, number=2, capacity=5, taken=1)
            make_shift(tx, listing=listing, number=3, capacity=9, taken=9, service_on=date(2022, 6, 8))
            make_shift(tx, listing=other, capacity=4, taken=6, state="held")
            make_shift(tx, listing=other, number=2, capacity=50, state="no_go", cancelled_because="人数不足")
            return ours, theirs

        ours, theirs = door.put_in(make)
        found = door.get("/boards/fill", **WEEK).json()
        assert found["whole"] == {"shifts": 3, "capacity": 12, "taken": 9, "fill_permille": 750}
        by_partner = {each.pop("partner_id"): each for each in found["partners"]}
        assert by_partner == {
            str(ours): {"shifts": 2, "capacity": 8, "taken": 3, "fill_permille": 375},
            str(theirs): {"shifts": 1, "capacity": 4, "taken": 6, "fill_permille": 1_500},
        }
        own = door.by(Role.PARTNER, partner_id=ours).get("/boards/fill", **WEEK).json()
        assert own["whole"] == by_partner[str(ours)]
        nothing = {"shifts": 0, "capacity": 0, "taken": 0, "fill_permille": None}
        assert door.elsewhere().get("/boards/fill", **WEEK).json()["whole"] == nothing

    def test_a_year_at_most(self, door: Door) -> None:
        """And a day at least."""
        year = {"since": "2024-01-01", "until": "2025-01-01"}
        assert door.get("/boards/fill", **year).status_code == 200
        assert refusal(door.get("/boards/fill", **(year | {"until": "2025-01-02"}))) == (422, "too_many_days")
        assert refusal(door.get("/boards/fill", **(year | {"until": "2024-01-01"}))) == (422, "too_many_days")


@pytest.mark.parametrize(("taken", "permille"), [(0, 0), (1, 333), (2, 667), (3, 1_000), (4, 1_333)])
def test_shares_are_rounded_half_up(taken: int, permille: int) -> None:
    """In whole thousandths, of three places here."""
    assert Fill(1, 3, taken).fill_permille == permille
