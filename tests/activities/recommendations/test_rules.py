"""What is recommended to whom, in which order, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.activities.eligibility.rules import Interval
from services.activities.openings.rules import Part
from services.activities.recommendations import rules
from services.activities.recommendations.rules import Bounds, Code, Leanings, Offer, Visit
from tests.factories.activities import FIRST_OF_JUNE, NINE, NOON

NOW = NINE - timedelta(days=3)
LOCAL = datetime(2022, 6, 1, 9, tzinfo=UTC)  # A Wednesday, as the clocks there show it.
PARTNER, OTHER = UUID(int=1), UUID(int=2)
FREE = Bounds()


def make_offer(number: int = 1, **overrides: Any) -> Offer:
    """Make a shift with room and enough people, of an activity of its own."""
    values: dict[str, Any] = {
        "shift_id": UUID(int=number), "listing_id": UUID(int=100 + number), "partner_id": PARTNER, "starts_at": NINE,
        "ends_at": NOON, "service_on": FIRST_OF_JUNE, "local_start": LOCAL, "mode": "on_site", "city": "上海",
        "skills": ("driving", "reading"), "capacity": 10, "taken": 5, "minimum": 5, "awaits_draw": False,
        "has_kit": False,
    }  # fmt: skip
    return Offer(**values | overrides)


def codes(offer: Offer, person: Leanings, *, now: datetime = NOW) -> list[Code]:
    return [reason.code for reason in rules.reasons_for(offer, person, now=now)]


def numbers(offers: list[Offer], person: Leanings = Leanings(), bounds: Bounds = FREE) -> list[int]:  # noqa: B008  Frozen.
    return [choice.offer.shift_id.int for choice in rules.best(offers, person, bounds, now=NOW)]


class TestReasons:
    @pytest.mark.parametrize(
        ("person", "offer", "code"),
        [
            (Leanings(skills=frozenset({"reading"})), {}, Code.SKILL_MATCHES),
            (Leanings(city="上海市"), {}, Code.SAME_CITY),
            (Leanings(partners=frozenset({PARTNER})), {}, Code.SAME_PARTNER_AS_BEFORE),
            (Leanings(liked=frozenset({PARTNER})), {}, Code.LIKED_BEFORE),
            (Leanings(usual=frozenset({(3, Part.MORNING)})), {}, Code.USUAL_TIME),
            (Leanings(), {"taken": 4}, Code.STARTS_SOON_AND_SHORT),
            (Leanings(), {"mode": "online"}, Code.FROM_ANYWHERE),
            (Leanings(), {"mode": "craft"}, Code.FROM_ANYWHERE),
        ],
    )
    def test_each_speaks_for_something_beside_its_room(
        self, person: Leanings, offer: dict[str, Any], code: Code
    ) -> None:
        """One at a time."""
        assert codes(make_offer(**offer), person) == [code, Code.ROOM_LEFT]

    @pytest.mark.parametrize(
        ("person", "offer"),
        [
            (Leanings(skills=frozenset({"teaching"})), {}),
            (Leanings(city="北京"), {}),
            (Leanings(city="上海"), {"city": None}),
            (Leanings(city="上海"), {"city": ""}),
            (Leanings(partners=frozenset({OTHER}), liked=frozenset({OTHER})), {}),
            (Leanings(usual=frozenset({(3, Part.EVENING), (4, Part.MORNING)})), {}),
            (Leanings(), {"taken": 4, "starts_at": NOW + rules.SOON + timedelta(minutes=1)}),
            (Leanings(), {"mode": None}),
        ],
    )
    def test_what_does_not_fit_speaks_for_nothing(self, person: Leanings, offer: dict[str, Any]) -> None:
        """The other side of each."""
        assert codes(make_offer(**offer), person) == [Code.ROOM_LEFT]

    def test_work_at_home_has_no_city(self) -> None:
        """What matters of it is that it can be done anywhere."""
        assert codes(make_offer(mode="online"), Leanings(city="上海")) == [Code.FROM_ANYWHERE, Code.ROOM_LEFT]

    def test_soon_ends_after_a_fortnight(self) -> None:
        """The last instant counts."""
        offer = make_offer(taken=4, starts_at=NOW + rules.SOON)
        assert Code.STARTS_SOON_AND_SHORT in codes(offer, Leanings())

    @pytest.mark.parametrize("full", [{"taken": 10}, {"awaits_draw": True}])
    def test_a_line_or_a_draw_is_no_room(self, full: dict[str, Any]) -> None:
        """It is not said that there is a place."""
        assert codes(make_offer(**full), Leanings()) == []

    def test_they_say_what_they_rest_on(self) -> None:
        """Which skills match, and how many people are missing."""
        person = Leanings(skills=frozenset({"reading", "driving", "teaching"}))

        skill, short, _ = rules.reasons_for(make_offer(taken=2), person, now=NOW)

        assert (skill.skills, skill.missing) == (("driving", "reading"), None)
        assert (short.skills, short.missing) == ((), 3)

    def test_every_code_has_points_and_words(self) -> None:
        """What is not shown counts nothing."""
        assert set(rules.POINTS) == set(rules.TITLES) == set(Code)
        assert all(points > 0 for points in rules.POINTS.values())


class TestBounds:
    @pytest.mark.parametrize(
        ("bounds", "offer"),
        [
            (Bounds(known={UUID(int=1)}), {}),
            (Bounds(busy=[(NOON - timedelta(minutes=1), NOON + timedelta(hours=1))]), {}),
            (Bounds(busy=[(NINE - timedelta(hours=1), NINE + timedelta(minutes=1))]), {}),
            (Bounds(employed=[Interval(None, FIRST_OF_JUNE)]), {}),
            (Bounds(gets_no_kit=True), {"has_kit": True}),
            (FREE, {"taken": 10}),
        ],
    )
    def test_what_cannot_be_taken_is_not_recommended(self, bounds: Bounds, offer: dict[str, Any]) -> None:
        """Decided about already, at the same time, after the employment, without a kit, full."""
        assert not rules.is_open_to(make_offer(**offer), bounds)
        assert numbers([make_offer(**offer)], Leanings(city="上海"), bounds) == []

    @pytest.mark.parametrize(
        ("bounds", "offer"),
        [
            (Bounds(known={UUID(int=2)}), {}),
            (Bounds(busy=[(NOON, NOON + timedelta(hours=1)), (NINE - timedelta(hours=1), NINE)]), {}),
            (Bounds(employed=[Interval(FIRST_OF_JUNE, date(2022, 6, 2))]), {}),
            (Bounds(gets_no_kit=True), {}),
            (FREE, {"has_kit": True}),
            (FREE, {"taken": 10, "awaits_draw": True}),
        ],
    )
    def test_what_only_comes_near_can_be_taken(self, bounds: Bounds, offer: dict[str, Any]) -> None:
        """The other side of each; before and after it, and the day of the employment."""
        assert rules.is_open_to(make_offer(**offer), bounds)


class TestBest:
    def test_points_go_first_then_time_then_id(self) -> None:
        """The order does not depend on that in which they come."""
        offers = [
            make_offer(4, city="北京"), make_offer(3, city="北京"),
            make_offer(2, city="北京", starts_at=NINE - timedelta(hours=1)), make_offer(1),
        ]  # fmt: skip
        person = Leanings(city="上海")

        assert numbers(offers, person) == numbers(offers[::-1], person) == [1, 2, 3, 4]

    def test_points_are_those_of_the_reasons(self) -> None:
        """Nothing else is in them."""
        person = Leanings(city="上海", skills=frozenset({"reading"}))

        (choice,) = rules.best([make_offer()], person, FREE, now=NOW)

        assert choice.points == 30 + 20 + 5 == sum(reason.points for reason in choice.reasons)

    def test_who_is_new_sees_what_lacks_people_first(self) -> None:
        """Then what starts soonest."""
        late = NINE + timedelta(days=1)
        offers = [make_offer(1), make_offer(2, taken=0, starts_at=late), make_offer(3, taken=0)]

        assert numbers(offers) == [3, 2, 1]

    def test_one_activity_does_not_fill_the_list(self) -> None:
        """The first shifts of it alone."""
        offers = [make_offer(number, listing_id=PARTNER) for number in range(1, 5)] + [make_offer(9)]

        assert numbers(offers) == [1, 2, 9]

    def test_the_list_has_an_end(self) -> None:
        """One more is left out."""
        assert len(numbers([make_offer(number) for number in range(1, rules.MOST + 2)])) == rules.MOST

    def test_what_nothing_speaks_for_is_left_out(self) -> None:
        """A draw, for somebody of whom nothing is known."""
        assert numbers([make_offer(awaits_draw=True)]) == []


class TestLeanings:
    def visits(self, *ratings: int | None, partner_id: UUID = PARTNER) -> list[Visit]:
        return [Visit(partner_id, LOCAL, rating) for rating in ratings]

    @pytest.mark.parametrize(
        ("ratings", "is_liked", "is_known"),
        [
            ((None,), False, True),
            ((3,), False, True),
            ((4,), True, True),
            ((2,), False, False),
            ((5, 1), False, False),
            ((1, 5), True, True),
            ((5, None), True, True),
            ((1, None), False, False),
        ],
    )
    def test_the_latest_rating_counts(self, ratings: tuple[int | None, ...], is_liked: bool, is_known: bool) -> None:  # noqa: FBT001  A table.
        """Who was not content is not sent there again; who said nothing liked nothing."""
        found = rules.leanings(self.visits(*ratings), city=None, skills=())

        assert (PARTNER in found.liked, PARTNER in found.partners) == (is_liked, is_known)

    def test_a_time_is_usual_from_the_second_on(self) -> None:
        """By the day of the week and the part of the day."""
        evening = [replace(visit, local_start=LOCAL.replace(hour=19)) for visit in self.visits(None)]

        found = rules.leanings([*self.visits(None, None), *evening], city="上海", skills=["reading"])

        assert found.usual == {(3, Part.MORNING)}
        assert (found.city, found.skills) == ("上海", frozenset({"reading"}))
