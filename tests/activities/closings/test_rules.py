from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.activities.closings import rules
from services.activities.closings.rules import Stay
from services.activities.scans.rules import Marked
from tests.factories.activities import NINE, NOON, at

SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
SHIFT, OTHER, PERSON = uuid4(), uuid4(), uuid4()
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("attendance", "verdict"),
    [(None, "handed_in"), ("checked_in", "handed_in"), ("settled", "attended"), ("voided", "taken_back")],
)
def test_what_is_handed_in_decides_of_its_place(attendance: str | None, verdict: str) -> None:
    """But of whom it is settled already that they were there, or were not."""
    assert rules.verdict(attendance, is_handed_in=True) == verdict


@pytest.mark.parametrize(
    ("attendance", "verdict"),
    [(None, "no_check_in"), ("checked_in", "no_check_out"), ("settled", "attended"), ("voided", "taken_back")],
)
def test_a_place_comes_to_what_is_recorded(attendance: str | None, verdict: str) -> None:
    """By the state of its person's attendance."""
    assert rules.verdict(attendance) == verdict


@pytest.mark.parametrize(
    ("state", "happens"),
    [
        ("open", True), ("go", True), ("running", True), ("held", True),
        ("cancelled", False), ("no_go", False), ("not_run", False),
    ],
)  # fmt: skip
def test_nobody_is_missed_where_nothing_happens(state: str, *, happens: bool) -> None:
    """Whoever called it off decided of the places."""
    assert rules.happens(state) == happens


def test_seven_working_days_are_left_to_claim() -> None:
    """A Wednesday's shift until the end of the Friday of the week after, as clocks in Shanghai show it."""
    assert rules.claim_until(NOON, SHANGHAI) == datetime(2022, 6, 10, 16, tzinfo=UTC)


def stay(came: datetime, left: datetime, **overrides: UUID) -> Stay:
    ids = {"shift_id": SHIFT, "listing_id": SHIFT, "volunteer_id": PERSON} | overrides
    return Stay(**ids, came_at=came, left_at=left)


def test_scans_of_many_in_the_same_seconds_are_found() -> None:
    """Five of one shift, in and out; four are not, nor those who left in another second, nor on another shift."""
    alike = [stay(at(9, 0, 1) + place * MICROSECOND, NOON, volunteer_id=uuid4()) for place in range(5)]
    other = [stay(at(9, 0, 1), NOON, shift_id=uuid4()), stay(at(9, 0, 1), NOON + SECOND), stay(at(9, 0, 2), NOON)]

    assert rules.same_stamps([*alike, *other]) == [tuple(alike)]
    assert rules.same_stamps([*alike[:4], *other]) == []


def test_people_for_whom_one_device_scanned_are_found() -> None:
    """Two are enough; one who came and left with it is not, nor what another device or another shift has."""
    first, second, third = sorted(uuid4() for _ in range(3))
    one, two = b"1" * 16, b"2" * 16
    together = [Marked(SHIFT, second, one), Marked(SHIFT, first, one), Marked(SHIFT, first, one)]
    apart = [Marked(SHIFT, third, two), Marked(SHIFT, third, two), Marked(OTHER, third, one)]

    assert rules.same_device([*apart, *together]) == [(SHIFT, (first, second))]
    assert rules.same_device([*together[1:], *apart]) == []


@pytest.mark.parametrize(
    ("came", "left", "listing_id", "volunteer_id", "found"),
    [
        (at(10), at(11), OTHER, PERSON, True),
        (at(11, 45), at(14), OTHER, PERSON, False),  # Fifteen minutes: a late scan out.
        (at(11, 44, 59), at(14), OTHER, PERSON, True),
        (at(13), at(14), OTHER, PERSON, False),
        (at(10), at(11), SHIFT, PERSON, False),  # Of the same activity: the same place.
        (at(10), at(11), OTHER, OTHER, False),
    ],
)
def test_nobody_is_on_two_activities_at_once(
    *, came: datetime, left: datetime, listing_id: UUID, volunteer_id: UUID, found: bool
) -> None:
    """Whoever is has lent their account."""
    other = stay(came, left, shift_id=OTHER, listing_id=listing_id, volunteer_id=volunteer_id)
    assert rules.impossible(stay(NINE, NOON), other) == rules.impossible(other, stay(NINE, NOON)) == found
