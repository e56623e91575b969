from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.activities.check_ins.rules import WINDOW
from services.activities.places import rules
from services.activities.sign_ups.rules import PENDING, PLACED, Command, SignUpClosed, State, offer_until
from shared.ids import new_id
from tests.factories.activities import MINUTE, NINE, NOON

ROOM = rules.Room(NINE, NOON, capacity=10, taken=9)
FULL = replace(ROOM, taken=10)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


class TestOffer:
    @pytest.mark.parametrize(
        ("left", "kept"),
        [
            (3 * HOUR, None),
            (3 * HOUR + 2 * MINUTE, HOUR * 1.5 + MINUTE),
            (10 * HOUR, 5 * HOUR),
            (48 * HOUR, DAY),
            (48 * HOUR + 2 * MINUTE, DAY),
        ],
    )
    def test_a_place_is_kept_for_half_the_time_to_the_start(
        self, left: timedelta, kept: timedelta | None
    ) -> None:  # fmt: skip
        """A day at most; in the last three hours for nobody."""
        until = offer_until(starts_at=NINE, now=NINE - left)
        assert until == (None if kept is None else NINE - left + kept)

    @pytest.mark.parametrize("state", [each for each in State if each is not State.OFFERED])
    def test_only_who_was_asked_answers(self, state: State) -> None:
        """The refusal says how they stand."""
        with pytest.raises(rules.NoOffer) as refused:
            rules.require_offered(state, expires_at=None, now=NINE)
        assert refused.value.facts == {"state": state}

    def test_and_answers_in_time(self) -> None:
        """The end itself is excluded, whether or not the timer has looked by then."""
        rules.require_offered(State.OFFERED, expires_at=NINE, now=NINE - TICK)
        with pytest.raises(rules.OfferOver):
            rules.require_offered(State.OFFERED, expires_at=NINE, now=NINE)


class TestEntry:
    @pytest.mark.parametrize("taken", [0, 9])
    def test_a_free_place_is_had_until_the_end(self, taken: int) -> None:
        """Also of a shift that has begun."""
        assert rules.entry(replace(ROOM, taken=taken), now=NOON - TICK) is State.CONFIRMED
        with pytest.raises(rules.ShiftOver):
            rules.entry(replace(ROOM, taken=taken), now=NOON)

    @pytest.mark.parametrize("room", [FULL, replace(ROOM, taken=11), replace(ROOM, awaits_draw=True)])
    def test_else_there_is_a_line_until_the_start(self, room: rules.Room) -> None:
        """History may have exceeded the places; before a draw none is given."""
        assert rules.entry(room, now=NINE - TICK) is State.WAITLISTED
        with pytest.raises(rules.ShiftFull):
            rules.entry(room, now=NINE)

    @pytest.mark.parametrize("state", State)
    def test_signing_up_again(self, state: State) -> None:
        """Changes nothing for who waits, is asked or has a place; who gave it back in time returns."""
        may_return = {State.WITHDRAWN, State.OFFER_EXPIRED}
        if state in PENDING | PLACED:
            assert rules.entry_again(FULL, state=state, now=NINE) is None
        elif state in may_return:
            assert rules.entry_again(ROOM, state=state, now=NINE) is Command.RETURN
            assert rules.entry_again(FULL, state=state, now=NINE - TICK) is Command.RETURN_TO_LINE
            with pytest.raises(rules.ShiftFull):
                rules.entry_again(FULL, state=state, now=NINE)
            with pytest.raises(rules.ShiftOver):
                rules.entry_again(ROOM, state=state, now=NOON)
        else:
            with pytest.raises(SignUpClosed):
                rules.entry_again(ROOM, state=state, now=NINE)

    def test_who_waits_takes_what_is_kept_for_nobody(self) -> None:
        """But not before a draw."""
        assert rules.entry_again(ROOM, state=State.WAITLISTED, now=NINE) is Command.TAKE
        assert rules.entry_again(replace(ROOM, awaits_draw=True), state=State.WAITLISTED, now=NINE) is None


class TestWithdrawal:
    @pytest.mark.parametrize(
        ("now", "command"),
        [
            (NINE - DAY, Command.WITHDRAW),
            (NINE - DAY + TICK, Command.WITHDRAW_LATE),
            (NINE - 30 * MINUTE - TICK, Command.WITHDRAW_LATE),
        ],
    )
    def test_it_is_late_within_a_day_of_the_start(self, now: datetime, command: Command) -> None:
        """Unless the shift was moved since."""
        assert rules.withdrawal(State.CONFIRMED, starts_at=NINE, is_free=False, now=now) is command
        assert rules.withdrawal(State.CONFIRMED, starts_at=NINE, is_free=True, now=now) is Command.WITHDRAW

    @pytest.mark.parametrize("is_free", [False, True])
    def test_not_once_check_in_is_open(self, *, is_free: bool) -> None:
        """Then it is told by coming or not coming; the two windows are one."""
        assert rules.CLOSES_BEFORE == WINDOW
        with pytest.raises(rules.ShiftNear):
            rules.withdrawal(State.CONFIRMED, starts_at=NINE, is_free=is_free, now=NINE - WINDOW)

    @pytest.mark.parametrize("state", [State.WAITLISTED, State.OFFERED])
    def test_the_line_is_left_at_any_time(self, state: State) -> None:
        """Nobody counts on who waits."""
        assert rules.withdrawal(state, starts_at=NINE, is_free=False, now=NOON) is Command.WITHDRAW

    @pytest.mark.parametrize("state", [each for each in State if each not in PENDING])
    def test_what_is_decided_is_not_given_back(self, state: State) -> None:
        """Nor does a free withdrawal change that."""
        with pytest.raises(SignUpClosed):
            rules.withdrawal(state, starts_at=NINE, is_free=True, now=NINE - 2 * DAY)


class TestExcuse:
    def test_who_is_expected_is_excused_before_check_in_opens(self) -> None:
        """After that somebody may be there."""
        rules.require_excusable(State.CONFIRMED, starts_at=NINE, now=NINE - WINDOW - TICK)
        with pytest.raises(rules.ShiftNear):
            rules.require_excusable(State.CONFIRMED, starts_at=NINE, now=NINE - WINDOW)

    @pytest.mark.parametrize("state", [State.MISSED, State.NO_SHOW])
    def test_who_did_not_come_is_excused_afterwards(self, state: State) -> None:
        """An appeal may take weeks."""
        rules.require_excusable(state, starts_at=NINE, now=NOON + 50 * DAY)

    @pytest.mark.parametrize(
        "state", [each for each in State if each not in (State.CONFIRMED, State.MISSED, State.NO_SHOW)]
    )
    def test_nobody_else_is(self, state: State) -> None:
        """Who waits leaves the line by themself."""
        with pytest.raises(SignUpClosed):
            rules.require_excusable(state, starts_at=NINE, now=NINE - DAY)


def test_an_overlap_names_the_other_shift() -> None:
    """So that the person can choose."""
    rules.require_no_overlap(None)
    other = rules.Other(new_id(), NINE, NOON)
    with pytest.raises(rules.OverlappingShift) as refused:
        rules.require_no_overlap(other)
    assert refused.value.facts == {"shift_id": other.shift_id, "starts_at": NINE, "ends_at": NOON}
