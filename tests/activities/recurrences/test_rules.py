from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import WEEKLY, rrule, rruleset  # type: ignore[import-untyped]  # It ships no types.
from hypothesis import given
from hypothesis import strategies as st

from services.activities.recurrences.rules import (
    BadRepetition,
    Planned,
    Repetition,
    TooManyShifts,
    UnclearLocalTime,
    days,
    written_out,
)

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
WEDNESDAY = date(2022, 6, 1)


def local(day: date, hour: int, zone: ZoneInfo, *, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def planned(
    repeats: Repetition | None, *, on: date = WEDNESDAY, hours: tuple[int, int] = (9, 12), zone: ZoneInfo = SHANGHAI,
    nights: int = 0,
) -> Planned:  # fmt: skip
    ends_at = local(on + timedelta(days=nights), hours[1], zone)
    return Planned(local(on, hours[0], zone), ends_at, capacity=20, minimum=5, repeats=repeats)


def out(*shifts: Planned, zone: ZoneInfo = SHANGHAI, most: int = 100) -> list[Planned]:
    return written_out(shifts, timezone=zone, most=most)


def starts(shifts: Iterable[Planned], zone: ZoneInfo = SHANGHAI) -> list[str]:
    return [f"{each.starts_at.astimezone(zone):%m-%d %H:%M}" for each in shifts]


def june(*numbers: int) -> frozenset[date]:
    return frozenset(date(2022, 6, number) for number in numbers)


class TestWhatARepetitionComesTo:
    def test_is_a_shift_for_each_date_alike_but_for_its_times(self) -> None:
        """Each with the places and the minimum of the first, and none of them repeats."""
        found = out(planned(Repetition(count=3)))

        assert starts(found) == ["06-01 09:00", "06-08 09:00", "06-15 09:00"]
        assert {(each.ends_at - each.starts_at, each.capacity, each.minimum, each.repeats) for each in found} == {
            (timedelta(hours=3), 20, 5, None)
        }

    @pytest.mark.parametrize(
        ("repeats", "expected"),
        [
            (Repetition(frozenset({3, 6}), count=4), [1, 4, 8, 11]),
            (Repetition(frozenset({1, 3}), every_weeks=2, count=4), [1, 13, 15, 27]),  # Mondays of the Monday's week.
            (Repetition(until=date(2022, 6, 15)), [1, 8]),
            (Repetition(until=date(2022, 6, 16)), [1, 8, 15]),
            (Repetition(until=date(2022, 6, 2)), [1]),
            (Repetition(count=4, except_on=june(8, 22)), [1, 15]),  # Those left out are counted, as RFC 5545 counts.
            (Repetition(count=3, except_on=june(1)), [8, 15]),
            (Repetition(frozenset(range(1, 8)), count=3), [1, 2, 3]),
        ],
    )
    def test_is_on_the_dates_that_are_said(self, repeats: Repetition, expected: list[int]) -> None:
        """Weekdays, every so many weeks, an end that is excluded or a count, without some."""
        assert [each.starts_at.astimezone(SHANGHAI).day for each in out(planned(repeats))] == expected

    def test_stands_where_it_was_planned(self) -> None:
        """What repeats is written out between what does not: numbers follow the order of the plan."""
        found = out(planned(None, hours=(1, 2)), planned(Repetition(count=2)), planned(None, hours=(3, 4)))
        assert starts(found) == ["06-01 01:00", "06-01 09:00", "06-08 09:00", "06-01 03:00"]

    def test_begins_with_the_instants_that_were_given(self) -> None:
        """Of an hour that comes twice, the one that was meant."""
        second = datetime(2022, 11, 6, 6, 30, tzinfo=UTC)  # 01:30 again.
        found = out(
            Planned(second, second + timedelta(hours=1), 5, repeats=Repetition(count=2)), zone=NEW_YORK
        )  # fmt: skip
        assert [each.starts_at for each in found] == [second, datetime(2022, 11, 13, 6, 30, tzinfo=UTC)]

    def test_is_of_the_local_date(self) -> None:
        """One o'clock in Shanghai is the day before in UTC."""
        found = out(planned(Repetition(frozenset({3}), count=2), hours=(1, 2)))
        assert [each.starts_at for each in found] == [
            datetime(2022, 5, 31, 17, tzinfo=UTC),
            datetime(2022, 6, 7, 17, tzinfo=UTC),
        ]


class TestClocks:
    def test_local_time_is_kept_when_they_change(self) -> None:
        """Nine stays nine, an hour less or more after the last in UTC."""
        spring = out(planned(Repetition(count=2), on=date(2022, 3, 9), zone=NEW_YORK), zone=NEW_YORK)
        autumn = out(planned(Repetition(count=2), on=date(2022, 11, 2), zone=NEW_YORK), zone=NEW_YORK)

        assert starts(spring, NEW_YORK) == ["03-09 09:00", "03-16 09:00"]
        assert starts(autumn, NEW_YORK) == ["11-02 09:00", "11-09 09:00"]
        assert spring[1].starts_at - spring[0].starts_at == timedelta(days=7, hours=-1)
        assert autumn[1].starts_at - autumn[0].starts_at == timedelta(days=7, hours=1)

    def test_a_night_ends_when_its_clocks_say(self) -> None:
        """From ten to six, also in the night that has an hour less; each belongs to the day on which it starts."""
        repeats = Repetition(frozenset({6, 7}), count=3)
        found = out(planned(repeats, on=date(2022, 3, 12), hours=(22, 6), nights=1, zone=NEW_YORK), zone=NEW_YORK)

        assert starts(found, NEW_YORK) == ["03-12 22:00", "03-13 22:00", "03-19 22:00"]
        assert {f"{each.ends_at.astimezone(NEW_YORK):%H:%M}" for each in found} == {"06:00"}
        assert [each.ends_at - each.starts_at for each in found] == [timedelta(hours=hours) for hours in (7, 8, 8)]

    @pytest.mark.parametrize(
        ("on", "hours", "bad", "at"),
        [
            (date(2022, 3, 6), (2, 4), date(2022, 3, 13), "02:00"),  # Skipped.
            (date(2022, 3, 6), (0, 2), date(2022, 3, 13), "02:00"),
            (date(2022, 10, 30), (1, 4), date(2022, 11, 6), "01:00"),  # Twice.
            (date(2022, 10, 30), (0, 1), date(2022, 11, 6), "01:00"),
        ],
    )
    def test_a_time_that_is_skipped_or_comes_twice_is_refused(
        self, on: date, hours: tuple[int, int], bad: date, at: str
    ) -> None:
        """Never guessed: the date is named, and may be left out."""
        with pytest.raises(UnclearLocalTime) as refused:
            out(planned(Repetition(count=3), on=on, hours=hours, zone=NEW_YORK), zone=NEW_YORK)
        assert refused.value.facts == {"field": "shifts.0.repeats", "on": bad, "at": at}

        left = Repetition(count=3, except_on=frozenset({bad}))
        assert len(out(planned(left, on=on, hours=hours, zone=NEW_YORK), zone=NEW_YORK)) == 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("repeats", "field"),
        [
            (Repetition(), "repeats"),
            (Repetition(until=date(2022, 7, 1), count=2), "repeats"),
            (Repetition(frozenset({4}), count=2), "repeats.weekdays"),
            (Repetition(until=WEDNESDAY), "repeats.until"),
            (Repetition(until=date(2022, 5, 1)), "repeats.until"),
            (Repetition(count=2, except_on=june(2)), "repeats.except_on"),
            (Repetition(count=2, except_on=june(15)), "repeats.except_on"),
            (Repetition(count=2, except_on=june(1, 8)), "repeats.except_on"),
            (Repetition(every_weeks=52, count=200), "repeats"),
        ],
    )
    def test_what_cannot_be_is_told_by_field(self, repeats: Repetition, field: str) -> None:
        """No end or two, no first, an end before the start, nothing left, a date that is none, too many years."""
        with pytest.raises(BadRepetition) as refused:
            out(planned(None), planned(repeats), most=200)
        assert refused.value.facts["field"] == f"shifts.1.{field}"

    def test_they_end_with_the_years_that_doors_take(self) -> None:
        """On the last day of 2199 and not on the first of 2200."""
        last = planned(Repetition(frozenset({2, 3}), count=1), on=date(2199, 12, 31))
        assert len(out(last)) == 1
        with pytest.raises(BadRepetition):
            out(replace(last, repeats=Repetition(frozenset({2, 3}), count=2)))

    @pytest.mark.parametrize(
        ("zone", "on", "hours", "is_bad"),
        [
            (SHANGHAI, WEDNESDAY, (9, 9), False), (SHANGHAI, WEDNESDAY, (9, 10), True),
            (NEW_YORK, date(2022, 3, 12), (9, 10), True),  # No longer than a day by itself: the clocks skip an hour.
        ],
    )  # fmt: skip
    def test_they_do_not_overlap_each_other(
        self, zone: ZoneInfo, on: date, hours: tuple[int, int], *, is_bad: bool
    ) -> None:
        """One that ends as the next starts does not."""
        every_day = Repetition(frozenset(range(1, 8)), count=2)
        shift = planned(every_day, on=on, hours=hours, nights=1, zone=zone)
        if not is_bad:
            assert len(out(shift, zone=zone)) == 2
            return
        with pytest.raises(BadRepetition) as refused:
            out(shift, zone=zone)
        assert refused.value.facts["field"] == "shifts.0.ends_at"

    @pytest.mark.parametrize(("count", "left_out"), [(5, 0), (7, 2)])
    def test_there_are_no_more_than_there_may_be(self, count: int, left_out: int) -> None:
        """Those that are left out do not count, what was planned before does."""
        except_on = frozenset(WEDNESDAY + timedelta(weeks=week) for week in range(left_out))
        repeats = Repetition(count=count, except_on=except_on)

        assert len(out(planned(repeats), most=5)) == 5
        with pytest.raises(TooManyShifts) as refused:
            out(planned(repeats), most=4)
        assert refused.value.facts["most"] == 4
        with pytest.raises(TooManyShifts):
            out(planned(None), planned(repeats), most=5)

    def test_no_end_is_looked_for(self) -> None:
        """A repetition to the end of all dates is refused as soon as it is too long."""
        with pytest.raises(TooManyShifts) as refused:
            out(planned(Repetition(until=date.max)))
        assert refused.value.facts == {"field": "shifts.0.repeats", "most": 100}


weekdays = st.frozensets(st.integers(1, 7), max_size=7)
first_days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(first_days, weekdays, st.integers(1, 5), st.integers(1, 40), st.data())
def test_the_dates_are_those_of_rfc_5545(
    first: date, chosen: frozenset[int], every: int, count: int, data: st.DataObject
) -> None:
    """As dateutil reads WEEKLY with BYDAY, INTERVAL, COUNT or UNTIL (which it includes), WKST=MO and EXDATE."""
    chosen |= {first.isoweekday()}
    start = datetime.combine(first, time(9))
    until = data.draw(st.none() | st.dates(first + timedelta(days=1), first + timedelta(days=300)))
    limits = {"count": count} if until is None else {"until": datetime.combine(until, time()) - timedelta(seconds=1)}
    theirs = rruleset()
    theirs.rrule(rrule(WEEKLY, start, interval=every, wkst=0, byweekday=[day - 1 for day in chosen], **limits))
    ends = {"count": count} if until is None else {"until": until}

    every_date = list(days(Repetition(chosen, every, **ends), first))
    assert every_date == [each.date() for each in theirs]

    left_out = data.draw(st.frozensets(st.sampled_from(every_date), max_size=len(every_date) - 1))
    for day in left_out:
        theirs.exdate(datetime.combine(day, time(9)))
    repeats = Repetition(chosen, every, except_on=left_out, **ends)
    found = out(planned(repeats, on=first), most=400)
    assert [each.starts_at.astimezone(SHANGHAI).replace(tzinfo=None) for each in found] == list(theirs)


@given(first_days, weekdays, st.integers(1, 9), st.integers(0, 23), st.integers(1, 23))
def test_clocks_show_the_same_in_every_zone(
    first: date, chosen: frozenset[int], every: int, hour: int, hours: int
) -> None:
    """Or it is refused because they do not: nothing is moved in silence, and nothing overlaps."""
    chosen |= {first.isoweekday()}
    begins = datetime.combine(first, time(hour))
    ends = begins + timedelta(hours=hours)
    shift = Planned(
        begins.replace(tzinfo=NEW_YORK).astimezone(UTC), ends.replace(tzinfo=NEW_YORK).astimezone(UTC), 5,
        repeats=Repetition(chosen, every, count=30),
    )  # fmt: skip
    try:
        found = out(shift, zone=NEW_YORK)
    except (UnclearLocalTime, BadRepetition):
        return
    shown = [(each.starts_at.astimezone(NEW_YORK), each.ends_at.astimezone(NEW_YORK)) for each in found]

    assert len({(start.time(), end.time()) for start, end in shown}) == 1
    assert all(start.isoweekday() in chosen for start, _ in shown)
    assert all(later[0] >= earlier[1] for earlier, later in zip(shown, islice(shown, 1, None), strict=False))
