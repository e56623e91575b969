from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.attendance import rules
from services.activities.attendance.rules import Change, Interval, Neighbour
from services.activities.eligibility.rules import Interval as Dates
from shared.ids import new_id
from tests.factories.activities import MINUTE, NINE, NOON, at, make_interval

TICK = timedelta(microseconds=1)
DAY = timedelta(hours=24)
INTERVALS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 120)).map(lambda of: make_interval(of[0], sum(of))))
INSTANTS = st.integers(-7200, 18000).map(lambda seconds: NINE + timedelta(seconds=seconds, microseconds=seconds % 7))


def minutes_of(intervals: Sequence[Interval]) -> set[int]:
    """Write the union down minute by minute: an independent model of it."""
    return {
        minute
        for interval in intervals
        for minute in range((interval.starts_at - NINE) // MINUTE, (interval.ends_at - NINE) // MINUTE)
    }


class TestClip:
    @pytest.mark.parametrize(
        ("came", "left", "span"),
        [
            (NINE, NOON, (NINE, NOON)),
            (at(8, 30), at(12, 30), (NINE, NOON)),
            (at(9, 0, 59), at(11, 59, 59), (NINE, at(11, 59))),
            (at(9, 1), at(9, 1, 59), (at(9, 1), at(9, 1))),
            (at(8, 30), NINE, (NINE, NINE)),
            (at(8, 30), at(8, 40), (NINE, NINE)),
            (NOON, at(12, 30), (NOON, NOON)),
            (at(12, 10), at(12, 20), (NOON, NOON)),
        ],
        ids=["exact", "around", "seconds", "within a minute", "left at start", "before", "came at end", "after"],
    )
    def test_what_counts_lies_within_the_shift(
        self, came: datetime, left: datetime, span: tuple[datetime, datetime]
    ) -> None:
        """Early arrivals and late departures are not paid; who was there outside of it has no minutes."""
        assert rules.clip(came, left, starts_at=NINE, ends_at=NOON) == span

    @given(came=INSTANTS, stayed=st.integers(0, 20000))
    def test_never_exceeds_shift_or_presence(self, came: datetime, stayed: int) -> None:
        """Whole minutes, inside the shift, at most one more than the presence touches whole ones."""
        left = came + timedelta(seconds=stayed)

        start, end = rules.clip(came, left, starts_at=NINE, ends_at=NOON)

        assert NINE <= start <= end <= NOON
        assert (start - NINE) % MINUTE == (end - NINE) % MINUTE == timedelta(0)
        touched = max(min(left, NOON) - max(came, NINE), timedelta(0))
        assert touched - MINUTE < end - start < touched + MINUTE


class TestShareOut:
    @given(INTERVALS)
    def test_minutes_add_up_to_the_union(self, intervals: list[Interval]) -> None:
        """Nobody serves in two places in one minute; no minute is lost either."""
        assert sum(rules.share_out(intervals).values()) == len(minutes_of(intervals))

    @given(INTERVALS, st.randoms(use_true_random=False))
    def test_the_order_of_arrival_changes_nothing(self, intervals: list[Interval], random: Random) -> None:
        """Imports and scans come as they come."""
        shuffled = random.sample(intervals, len(intervals))
        assert rules.share_out(shuffled) == rules.share_out(intervals)

    @given(INTERVALS.filter(bool))
    def test_adding_and_removing_moves_only_what_overlaps(self, intervals: list[Interval]) -> None:
        """One more interval takes from others exactly what it does not bring; taken away, all is as before."""
        *others, added = intervals
        before, after = rules.share_out(others), rules.share_out(intervals)

        assert sum(after.values()) - sum(before.values()) == len(minutes_of(intervals) - minutes_of(others))
        apart = [other for other in others if not minutes_of([other]) & minutes_of([added])]
        assert all(after[other.attendance_id] == before[other.attendance_id] for other in apart)
        assert rules.share_out(others) == before

    def test_the_first_to_begin_keeps_the_minute(self) -> None:
        """From nine to ten and from half past nine to eleven are an hour and an hour."""
        first, second = make_interval(0, 60), make_interval(30, 120)
        assert rules.share_out([second, first]) == {first.attendance_id: 60, second.attendance_id: 60}

    def test_of_two_that_begin_together_the_older_keeps_it(self) -> None:
        """Ids are in order of time, so the earlier record wins."""
        older, newer = make_interval(0, 60), make_interval(0, 90)
        assert rules.share_out([newer, older]) == {older.attendance_id: 60, newer.attendance_id: 30}

    def test_what_meets_does_not_overlap(self) -> None:
        """Intervals are half-open."""
        first, second = make_interval(0, 60), make_interval(60, 90)
        assert rules.share_out([first, second]) == {first.attendance_id: 60, second.attendance_id: 30}


class TestSettlePerson:
    def test_neighbours_that_stay_the_same_are_not_told_again(self) -> None:
        """A version of theirs would say nothing new."""
        neighbour, fresh = make_interval(0, 60), make_interval(60, 90)
        verdicts = rules.settle_person([Change(fresh.attendance_id, fresh)], [Neighbour(neighbour, 60)])
        assert verdicts == {fresh.attendance_id: 30}

    def test_a_neighbour_gets_back_what_a_change_frees(self) -> None:
        """A correction of one record may move minutes to another of the same person."""
        corrected, neighbour = make_interval(0, 30), make_interval(30, 90)
        verdicts = rules.settle_person([Change(corrected.attendance_id, corrected)], [Neighbour(neighbour, 30)])
        assert verdicts == {corrected.attendance_id: 30, neighbour.attendance_id: 60}

    def test_what_is_taken_away_counts_nothing(self) -> None:
        """Its neighbour takes over."""
        voided, neighbour = make_interval(0, 60), make_interval(0, 60)
        changes = [Change(voided.attendance_id, None)]
        verdicts = rules.settle_person(changes, [Neighbour(voided, 60), Neighbour(neighbour, 0)])
        assert verdicts == {voided.attendance_id: 0, neighbour.attendance_id: 60}

    @given(INTERVALS, st.data())
    def test_deciding_one_by_one_ends_as_deciding_at_once(self, intervals: list[Interval], data: st.DataObject) -> None:
        """Whatever the order of decisions, the records add up to the union."""
        standing: dict[object, Neighbour] = {}
        for interval in data.draw(st.permutations(intervals)):
            verdicts = rules.settle_person([Change(interval.attendance_id, interval)], list(standing.values()))
            standing[interval.attendance_id] = Neighbour(interval, 0)
            for attendance_id, minutes in verdicts.items():
                standing[attendance_id] = Neighbour(standing[attendance_id].interval, minutes)

        assert {key: neighbour.minutes for key, neighbour in standing.items()} == rules.share_out(intervals)


FIRST, SECOND, THIRD = (date(2022, 6, number) for number in (1, 2, 3))


class TestCount:
    @pytest.mark.parametrize(
        ("employed", "matchable"),
        [
            ([], 90), ([Dates(FIRST, None)], 90), ([Dates(None, FIRST)], 0), ([Dates(SECOND, None)], 0),
            ([Dates(SECOND, THIRD), Dates(FIRST, SECOND)], 90),
        ],
    )  # fmt: skip
    def test_who_is_not_eligible_keeps_the_service_alone(self, employed: list[Dates], matchable: int) -> None:
        """On the date of service, whatever becomes of the person later."""
        assert rules.count(90, employed=employed, service_on=FIRST) == rules.Counted(90, matchable)
        assert rules.count(0, employed=employed, service_on=FIRST) == rules.Counted(0, 0)
        assert rules.count(90, employed=employed, service_on=FIRST, agreed=60).matchable == min(matchable, 60)

    @pytest.mark.parametrize(("agreed", "matchable"), [(None, 90), (0, 0), (89, 89), (90, 90), (91, 90)])
    def test_no_more_is_matched_than_was_agreed(self, agreed: int | None, matchable: int) -> None:
        """Of work that is handed in, by the pieces accepted; the service is what it was."""
        assert rules.count(90, employed=[], service_on=FIRST, agreed=agreed) == rules.Counted(90, matchable)

    @pytest.mark.parametrize(
        ("is_handed_in", "decided", "known", "agreed"),
        [
            (False, None, None, None), (False, 60, 30, None), (True, None, None, 0), (True, None, 30, 30),
            (True, 60, 30, 60), (True, 0, 30, 0),
        ],
    )  # fmt: skip
    def test_what_was_agreed_stays_until_it_is_decided_anew(
        self, decided: int | None, known: int | None, agreed: int | None, *, is_handed_in: bool
    ) -> None:
        """Corrections and neighbours do not touch it; before anything is accepted it is nothing."""
        assert rules.agreed_minutes(is_handed_in=is_handed_in, decided=decided, known=known) == agreed


class TestRequire:
    @pytest.mark.parametrize("length", [TICK, DAY])
    def test_a_presence_lasts_up_to_a_day(self, length: timedelta) -> None:
        """It may end this very instant."""
        rules.require_times(NINE, NINE + length, now=NINE + length)

    @pytest.mark.parametrize("length", [timedelta(0), -TICK, DAY + TICK, timedelta(hours=25)])
    def test_zero_negative_and_endless_presences_are_refused(self, length: timedelta) -> None:
        """A slip in the date, mostly."""
        with pytest.raises(rules.BadTimes):
            rules.require_times(NINE, NINE + length, now=NINE + 2 * DAY)

    def test_nobody_has_been_there_yet(self) -> None:
        """What is still to come cannot be recorded."""
        with pytest.raises(rules.InTheFuture):
            rules.require_times(NINE, NOON, now=NOON - TICK)

    @pytest.mark.parametrize(("came", "left"), [(at(8), at(9, 0, 1)), (at(11, 59, 59), at(13)), (at(8), at(13))])
    def test_a_presence_touches_its_shift(self, came: datetime, left: datetime) -> None:
        """By a second, on either side."""
        rules.require_on_shift(came, left, starts_at=NINE, ends_at=NOON)

    @pytest.mark.parametrize(("came", "left"), [(at(8), at(9)), (at(12), at(13)), (at(9 + 24), at(12 + 24))])
    def test_another_day_is_refused(self, came: datetime, left: datetime) -> None:
        """It would count as no minutes at all without a word."""
        with pytest.raises(rules.BadTimes):
            rules.require_on_shift(came, left, starts_at=NINE, ends_at=NOON)


ALLOWED: Final = """
    checked_in check_out settled
    checked_in correct   settled
    settled    correct   settled
    settled    void      voided
"""
TABLE: Final = {
    (state, command): following for state, command, following in map(str.split, ALLOWED.strip().splitlines())
}


@pytest.mark.parametrize("command", rules.Command)
@pytest.mark.parametrize("state", rules.State)
def test_each_command_in_each_state(state: rules.State, command: rules.Command) -> None:
    """Voided is for good, and without minutes there is nothing to void; scans have refusals of their own."""
    assert rules.TRANSITIONS.get((state, command)) == TABLE.get((state, command))
    assert rules.allows(state, command) == ((state, command) in TABLE)
    if (state, command) in TABLE:
        rules.require_decidable(state, command)
    else:
        with pytest.raises(rules.AttendanceVoided if state == "voided" else rules.NotSettled):
            rules.require_decidable(state, command)


def test_ids_are_in_order_of_time() -> None:
    """What `share_out` rests on."""
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
