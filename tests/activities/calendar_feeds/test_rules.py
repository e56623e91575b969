from datetime import timedelta

import pytest

from services.activities.calendar_feeds import rules
from services.activities.calendar_feeds.rules import Kind
from services.activities.listings.rules import ShiftState
from services.activities.sign_ups.rules import State
from shared.documents.calendars import Status
from tests.factories.activities import NINE

OFF = {ShiftState.NO_GO, ShiftState.NOT_RUN, ShiftState.CANCELLED}
CANCELLED, CONFIRMED, TENTATIVE = Status.CANCELLED, Status.CONFIRMED, Status.TENTATIVE


@pytest.mark.parametrize("shift", ShiftState)
def test_a_shift_is_on_or_off(shift: ShiftState) -> None:
    """Whatever was decided about it."""
    assert rules.status_of_shift(shift) is (CANCELLED if shift in OFF else CONFIRMED)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (State.WAITLISTED, TENTATIVE), (State.OFFERED, TENTATIVE),
        (State.CONFIRMED, CONFIRMED), (State.ATTENDED, CONFIRMED), (State.MISSED, CONFIRMED),
        (State.NO_SHOW, CONFIRMED),
        (State.OFFER_EXPIRED, CANCELLED), (State.WITHDRAWN, CANCELLED), (State.LATE_WITHDRAWN, CANCELLED),
        (State.EXCUSED, CANCELLED), (State.CANCELLED_BY_HOST, CANCELLED),
    ],
)  # fmt: skip
def test_a_place_is_had_waited_for_or_gone(place: State, status: Status) -> None:
    """And on a shift that is off it is gone, however it stood."""
    assert rules.status_of_place(place, shift="open") is status
    assert rules.status_of_place(place, shift="cancelled") is CANCELLED


def test_each_state_of_a_place_is_looked_at() -> None:
    """A new one says what calendars make of it."""
    assert {State.WAITLISTED, State.OFFERED} == rules.WAITING
    assert rules.GONE.isdisjoint(rules.WAITING)


def test_a_secret_is_drawn_and_known_by_its_hash_alone() -> None:
    """256 bits of it, in an address's letters; any text has a hash, also one that no address brings."""
    first, second = rules.new_secret(), rules.new_secret()

    assert first != second
    assert len(first) == 43
    assert rules.hash_of(first) == rules.hash_of(first) != rules.hash_of(second)
    assert len(rules.hash_of("\udc80\x00")) == 32


@pytest.mark.parametrize(("kind", "holds"), [(Kind.VOLUNTEER, None), (Kind.PARTNER, 366), (Kind.PROGRAMME, 366)])
def test_what_is_not_ones_own_ends_after_a_year(kind: Kind, holds: int | None) -> None:
    """Nobody tells this service that somebody has left a partner."""
    assert rules.expiry(kind, now=NINE) == (None if holds is None else NINE + timedelta(days=holds))


def test_nobody_has_more_than_ten() -> None:
    """Each is a door."""
    rules.require_room(9)
    with pytest.raises(rules.TooManyFeeds):
        rules.require_room(10)
