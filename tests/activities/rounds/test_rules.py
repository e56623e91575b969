from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from services.activities.rounds import rules
from services.activities.rounds.rules import Calendar, Command, Known, Moment, State, Times
from tests.architecture.sources import ROOT

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
MONDAY = date(2022, 6, 6)
WEEK, DAY, HOUR, INSTANT = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
START = datetime(2022, 6, 6, 1, tzinfo=UTC)  # A Monday, at nine in Shanghai.
TIMES = Times(START, START + 3 * DAY, START + 4 * DAY, START + 7 * DAY)
WEEKLY = Calendar(
    opens=Moment(1, time(9)), closes=Moment(4, time(9)), review=Moment(5, time(9)), publish=Moment(1, time(9)),
    weeks_ahead=2, since=START - 10 * WEEK,
)  # fmt: skip

README = ROOT / "services" / "activities" / "README.md"
HEADING = "| | open | close | publish | move | extend | cancel |"


def known(week_on: date | None, times: Times = TIMES, state: str = "planned", number: int = 1) -> Known:
    return Known(number, week_on, times.opens_at, times.closes_at, state)


def weeks(calendar: Calendar, *there: Known, now: datetime, zone: ZoneInfo = SHANGHAI) -> list[date]:
    return [week_on for week_on, _ in rules.weeks_to_make(calendar, zone, there, now=now)]


def the_page() -> Iterator[tuple[tuple[State, Command], str]]:
    """Read the table of states and commands; `-` is a refusal."""
    table = README.read_text("utf-8").partition(f"{HEADING}\n")[2].partition("\n\n")[0]
    commands = [Command(cell.strip()) for cell in HEADING.strip("| ").split("|")]
    for line in table.splitlines()[1:]:
        state, *outcomes = (cell.strip() for cell in line.strip("| ").split("|"))
        yield from (((State(state), each), outcome) for each, outcome in zip(commands, outcomes, strict=True))


class TestStates:
    def test_every_command_in_every_state(self) -> None:
        """Nothing but what the README's table says, and the table says all of it."""
        expected = dict(the_page())

        assert expected.keys() == set(product(State, Command))
        for (state, command), outcome in expected.items():
            if outcome != "-":
                assert rules.after(state, command) == outcome
                continue
            with pytest.raises(rules.WrongRoundState) as refused:
                rules.after(state, command)
            assert refused.value.facts == {"state": state}

    @pytest.mark.parametrize(
        ("state", "now", "commands"),
        [
            ("planned", START - INSTANT, []),
            ("planned", START, ["open"]),
            ("planned", TIMES.closes_at - INSTANT, ["open"]),
            ("planned", TIMES.closes_at, ["open", "close"]),
            ("planned", TIMES.publish_at, ["open", "close", "publish"]),
            ("open", TIMES.closes_at - INSTANT, []),
            ("open", TIMES.closes_at, ["close"]),
            ("open", TIMES.publish_at, ["close", "publish"]),
            ("closed", TIMES.publish_at - INSTANT, []),
            ("closed", TIMES.publish_at, ["publish"]),
            ("published", TIMES.publish_at + WEEK, []),
            ("cancelled", TIMES.publish_at + WEEK, []),
        ],
    )
    def test_time_does_what_is_due_in_order(self, state: str, now: datetime, commands: list[str]) -> None:
        """Late, it does all that was missed; what is called off stays so."""
        assert list(rules.due(state, TIMES, now=now)) == commands


class TestTimes:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"closes_at": START}, "closes_at"),
            ({"review_by": TIMES.closes_at - INSTANT}, "review_by"),
            ({"publish_at": TIMES.review_by - INSTANT}, "publish_at"),
        ],
    )
    def test_moments_are_in_order(self, change: dict[str, datetime], field: str) -> None:
        """The first that is not is named."""
        with pytest.raises(rules.BadRoundTimes) as refused:
            rules.require_times(replace(TIMES, **change), now=START)
        assert refused.value.facts["field"] == field

    def test_review_and_publication_may_be_at_once(self) -> None:
        """A call that is over in a moment is none; what follows it may follow at once."""
        end = START + INSTANT
        rules.require_times(Times(START, end, end, end), now=START)

    def test_a_call_is_not_over_when_it_is_made(self) -> None:
        """It may have begun."""
        rules.require_times(TIMES, now=TIMES.closes_at - INSTANT)
        with pytest.raises(rules.BadRoundTimes):
            rules.require_times(TIMES, now=TIMES.closes_at)

    def test_an_extension_puts_off_what_follows(self) -> None:
        """Reviewers keep their time."""
        later = rules.extended(TIMES, TIMES.closes_at + DAY)

        assert later == Times(START, START + 4 * DAY, START + 5 * DAY, START + 8 * DAY)
        for at in (TIMES.closes_at, TIMES.closes_at - DAY):
            with pytest.raises(rules.BadRoundTimes):
                rules.extended(TIMES, at)

    def test_one_is_open_at_a_time(self) -> None:
        """The next may open as the one before closes; a cancelled one is in nobody's way."""
        before = known(None, Times(START - DAY, START, START, START))
        after = known(None, Times(TIMES.closes_at, TIMES.closes_at + DAY, TIMES.publish_at, TIMES.publish_at))
        rules.require_apart(TIMES, [before, after, known(None, state="cancelled")])

        for at in (START - DAY + INSTANT, TIMES.closes_at - INSTANT):
            other = known(None, Times(at, at + DAY, at + DAY, at + DAY), number=7)
            with pytest.raises(rules.RoundsOverlap) as refused:
                rules.require_apart(TIMES, [before, other])
            assert refused.value.facts == {"number": 7}


class TestCalendar:
    def test_each_moment_is_the_first_after_the_one_before(self) -> None:
        """So a week's call may be reviewed and published in the next."""
        assert rules.times_of(WEEKLY, SHANGHAI, MONDAY) == TIMES
        late = replace(WEEKLY, opens=Moment(5, time(18)), closes=Moment(5, time(18)), publish=Moment(5, time(9)))

        made = rules.times_of(late, SHANGHAI, MONDAY)

        friday = START + 4 * DAY + 9 * HOUR
        review = friday + WEEK + 6 * DAY + 15 * HOUR
        assert made == Times(friday, friday + WEEK, review, review)

    @pytest.mark.parametrize("closes", [time(11), time(8), time(9)])
    def test_a_call_lasts_two_hours_at_least(self, closes: time) -> None:
        """And a week at most: an end that is not later is a week later."""
        rules.require_calendar(replace(WEEKLY, closes=Moment(1, closes)))

    @pytest.mark.parametrize("closes", [time(9, 1), time(10, 59)])
    def test_a_call_that_is_over_at_once_is_none(self, closes: time) -> None:
        """When clocks jump it might end before it begins."""
        with pytest.raises(rules.BadRoundTimes):
            rules.require_calendar(replace(WEEKLY, closes=Moment(1, closes)))

    def test_local_times_stay_when_clocks_change(self) -> None:
        """On 13 March 2022 New York's clocks skip two to three: what begins in between begins when it is over."""
        hour = replace(WEEKLY, opens=Moment(7, time(2, 30)), closes=Moment(7, time(4, 30)))

        before, skipped, later = (rules.times_of(hour, NEW_YORK, date(2022, 3, 7) + week * WEEK) for week in (-1, 0, 1))

        assert before.opens_at == datetime(2022, 3, 6, 7, 30, tzinfo=UTC)
        assert (skipped.opens_at, skipped.closes_at) == (
            datetime(2022, 3, 13, 7, 30, tzinfo=UTC), datetime(2022, 3, 13, 8, 30, tzinfo=UTC),
        )  # fmt: skip
        assert later.opens_at == datetime(2022, 3, 20, 6, 30, tzinfo=UTC)

    def test_every_shortest_call_of_a_year_is_one(self) -> None:
        """In zones that jump by an hour, by half of one, and by none, whatever hour it begins at."""
        zones = map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"))
        for zone, hour in product(zones, range(24)):
            closes = datetime.combine(MONDAY, time(hour)) + 2 * HOUR
            moment = Moment(7 if hour < 22 else 1, closes.time())
            calendar = replace(WEEKLY, opens=Moment(7, time(hour)), closes=moment)
            rules.require_calendar(calendar)
            for week in range(53):
                made = rules.times_of(calendar, zone, MONDAY + week * WEEK)
                assert made.opens_at < made.closes_at <= made.review_by <= made.publish_at


class TestWeeksToMake:
    def test_this_week_and_those_ahead(self) -> None:
        """Each by its Monday."""
        assert weeks(WEEKLY, now=START) == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]

    @pytest.mark.parametrize(("now", "first"), [(TIMES.closes_at - INSTANT, MONDAY), (TIMES.closes_at, MONDAY + WEEK)])
    def test_late_as_long_as_the_call_is_not_over(self, now: datetime, first: date) -> None:
        """Who was told nothing in a week cannot answer it any more."""
        assert weeks(WEEKLY, now=now)[0] == first

    def test_last_week_s_call_may_still_be_open(self) -> None:
        """One that goes over Sunday."""
        calendar = replace(WEEKLY, opens=Moment(5, time(9)), closes=Moment(2, time(9)))
        assert weeks(calendar, now=START)[0] == MONDAY - WEEK

    def test_what_is_made_is_not_made_again(self) -> None:
        """However it was moved or cancelled since."""
        moved = known(MONDAY, Times(*(at - WEEK for at in (START, TIMES.closes_at, TIMES.review_by, TIMES.publish_at))))
        cancelled = known(MONDAY + WEEK, state="cancelled")
        assert weeks(WEEKLY, moved, cancelled, now=START) == [MONDAY + 2 * WEEK]

    def test_an_operator_s_own_round_takes_the_place_of_the_week_s(self) -> None:
        """As long as it stands."""
        own = known(None)
        assert weeks(WEEKLY, own, now=START)[0] == MONDAY + WEEK
        assert weeks(WEEKLY, replace(own, state="cancelled"), now=START)[0] == MONDAY

    @pytest.mark.parametrize(("since", "first"), [(START, MONDAY), (START + INSTANT, MONDAY + WEEK)])
    def test_nothing_opens_before_the_calendar_was_set(self, since: datetime, first: date) -> None:
        """Who sets it on a Tuesday does not open Monday's call."""
        assert weeks(replace(WEEKLY, since=since), now=START + HOUR)[0] == first

    def test_the_week_is_that_of_the_zone(self) -> None:
        """On Sunday evening in London it is Monday in Shanghai."""
        sunday = datetime(2022, 6, 5, 17, tzinfo=UTC)
        assert weeks(WEEKLY, now=sunday)[0] == MONDAY
        assert weeks(WEEKLY, now=sunday, zone=ZoneInfo("UTC"))[:2] == [MONDAY, MONDAY + WEEK]
        assert weeks(WEEKLY, now=sunday)[-1] == MONDAY + 2 * WEEK
        assert weeks(WEEKLY, now=sunday, zone=ZoneInfo("UTC"))[-1] == MONDAY + WEEK
