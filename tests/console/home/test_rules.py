from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import pytest

from services.console.home import rules
from services.console.home.rules import Listing, Offer, Section, Shift
from shared.roles import PEOPLE

NOON = datetime(2022, 6, 18, 4, 0, tzinfo=UTC)


def make_shift(
    number: int = 1,
    *,
    starts: float = 1,
    state: Literal["open", "go", "no_go", "running", "held", "not_run", "cancelled"] = "open",
    taken: int = 0,
) -> Shift:
    starts_at = NOON + timedelta(hours=starts)
    return Shift(UUID(int=number), starts_at, starts_at + timedelta(hours=2), 2, taken, state)


def make_listing(*shifts: Shift) -> Listing:
    return Listing("2022-LIB-07", "故事会", "Asia/Shanghai", shifts)


def test_every_role_of_a_person_finds_something() -> None:
    """Nobody who signs in meets an empty page."""
    assert set(rules.SECTIONS_OF) == set(PEOPLE)
    assert all(rules.SECTIONS_OF.values())


@pytest.mark.parametrize(
    ("roles", "sections"),
    [
        ([], []),
        (["from_the_future"], []),
        (["volunteer"], [Section.SHIFTS]),
        (["ops", "admin"], [Section.FLOW, Section.AUDIT]),
        (["reviewer", "operator"], [Section.SUMMARY, Section.WATERFALL, Section.ATTENDANCES, Section.IMPORTS]),
    ],
)
def test_who_has_several_roles_finds_each_part_once(roles: list[str], sections: list[Section]) -> None:
    """In the same order, however the issuer lists them."""
    assert rules.sections_of(roles) == sections


def test_coming_shifts_are_those_that_are_not_over_soonest_first() -> None:
    """One that goes on now is still of interest, one that was called off is not."""
    shifts = [
        make_shift(1, starts=30),
        make_shift(2, starts=-2),
        make_shift(3, starts=-1, state="running"),
        make_shift(4, starts=2, state="cancelled"),
        make_shift(7, starts=2, state="no_go"),
        make_shift(6, starts=2, state="not_run"),
        make_shift(5, starts=1),
    ]

    found = rules.coming([make_listing(*shifts[:3]), make_listing(*shifts[3:])], now=NOON)

    assert [occasion.shift.id.int for occasion in found] == [3, 5, 1]


def test_no_more_shifts_are_shown_than_can_be_asked_about() -> None:
    """For each the reader's own place is asked for."""
    shifts = [make_shift(number, starts=number) for number in range(1, 40)]

    assert len(rules.coming([make_listing(*shifts)], now=NOON)) == rules.MOST_SHIFTS


@pytest.mark.parametrize(
    ("starts", "taken", "has_place", "offer"),
    [
        (1, 0, False, Offer.SIGN_UP),
        (1, 1, False, Offer.SIGN_UP),
        (1, 2, False, Offer.FULL),
        (1, 2, True, Offer.HAS_PLACE),
        (0, 0, False, Offer.BEGUN),
        (-1, 0, True, Offer.HAS_PLACE),
    ],
)
def test_a_volunteer_is_offered_what_can_work(starts: float, taken: int, has_place: bool, offer: Offer) -> None:  # noqa: FBT001  A case.
    """A button that is always refused would be a lie."""
    assert rules.offer_of(make_shift(starts=starts, taken=taken), has_place=has_place, now=NOON) is offer


def test_what_a_partner_is_owed_is_a_credit() -> None:
    """Other accounts are no claim of theirs."""
    assert rules.owed([("2110", -20_000), ("2110", -1), ("5110", 20_001)]) == 20_001
    assert rules.owed([]) == 0
