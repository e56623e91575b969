from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.activities.checklists.rules import Deliverable, Finding, Position
from services.activities.proposals import rules
from services.activities.proposals.rules import Deadlines, Difference
from tests.factories.activities import NINE
from tests.factories.proposals import CONTENT, DAY, LATER, SHIFT, make_content

SECOND = timedelta(seconds=1)
WEEK = Deadlines(NINE, NINE + 3 * DAY, NINE + 4 * DAY)
NEW_YORK = ZoneInfo("America/New_York")


class TestTimes:
    @pytest.mark.parametrize(
        ("at", "first", "again"),
        [
            (NINE - SECOND, False, False), (NINE, True, True), (WEEK.closes_at - SECOND, True, True),
            (WEEK.closes_at, False, True), (WEEK.review_by - SECOND, False, True), (WEEK.review_by, False, False),
        ],
    )  # fmt: skip
    def test_what_was_sent_back_has_until_the_review_deadline(self, at: datetime, *, first: bool, again: bool) -> None:
        """A new one only until the round closes; both half-open."""
        for is_first, passes in ((True, first), (False, again)):
            if passes:
                rules.require_submission_open(WEEK, is_first=is_first, now=at)
            else:
                with pytest.raises(rules.SubmissionClosed):
                    rules.require_submission_open(WEEK, is_first=is_first, now=at)

    def test_a_cancelled_round_takes_nothing(self) -> None:
        """Whatever the time."""
        cancelled = replace(WEEK, is_cancelled=True)
        with pytest.raises(rules.SubmissionClosed):
            rules.require_submission_open(cancelled, is_first=True, now=NINE)
        with pytest.raises(rules.SubmissionClosed):
            rules.require_not_over(cancelled, now=NINE)

    def test_drafts_may_be_begun_before_a_round_opens(self) -> None:
        """And not once it has closed."""
        rules.require_not_over(WEEK, now=NINE - DAY)
        rules.require_not_over(WEEK, now=WEEK.closes_at - SECOND)
        with pytest.raises(rules.SubmissionClosed):
            rules.require_not_over(WEEK, now=WEEK.closes_at)


class TestFit:
    def test_warnings_pass_and_blocking_findings_are_all_told(self) -> None:
        """The first of them is the field that the problem names."""
        warning, blocking = Finding("briefing", "no_briefing"), Finding("risks", "no_risks")
        rules.require_fit([])
        rules.require_fit([warning])
        with pytest.raises(rules.HasFindings) as refused:
            rules.require_fit([warning, blocking, Finding("shifts", "no_shifts")])
        assert refused.value.facts == {"field": "risks", "findings": [["risks", "no_risks"], ["shifts", "no_shifts"]]}

    def test_a_proposal_has_twenty_versions(self) -> None:
        """And no more."""
        rules.require_submissions_left(rules.MOST_SUBMISSIONS - 1)
        with pytest.raises(rules.TooManySubmissions):
            rules.require_submissions_left(rules.MOST_SUBMISSIONS)


class TestDifferences:
    def test_nothing_differs_from_itself(self) -> None:
        """Also where a deliverable is missing."""
        assert rules.differences(CONTENT, make_content()) == []

    def test_each_field_says_from_what_to_what(self) -> None:
        """In the order of the content, down to the parts of lists; instants in UTC."""
        moved = replace(SHIFT, starts_at=LATER + DAY, ends_at=SHIFT.ends_at + DAY, capacity=10)
        after = make_content(title="净滩行动", shifts=(moved,), deliverable=Deliverable("合格", 60))

        assert rules.differences(CONTENT, after) == [
            Difference("title", "社区净滩行动", "净滩行动"),
            Difference("shifts.0.starts_at", "2022-06-15T01:00:00Z", "2022-06-16T01:00:00Z"),
            Difference("shifts.0.ends_at", "2022-06-15T04:00:00Z", "2022-06-16T04:00:00Z"),
            Difference("shifts.0.capacity", 20, 10),
            Difference("deliverable.criteria", None, "合格"),
            Difference("deliverable.minutes_per_piece", None, 60),
        ]

    def test_what_is_gone_is_told_too(self) -> None:
        """With nothing in its place."""
        before = make_content(positions=(Position("清理员", 20, ("体力",)), Position("称重员", 2)))
        after = make_content(positions=(Position("清理员", 20),))

        assert rules.differences(before, after) == [
            Difference("positions.0.skills.0", "体力", None),
            Difference("positions.1.name", "称重员", None),
            Difference("positions.1.number", 2, None),
        ]


class TestComparable:
    def test_writing_makes_no_difference(self) -> None:
        """Width, case and punctuation are folded; words stay words."""
        assert rules.comparable("\uff21bc，DEF", "x-y") == rules.comparable("abc def", "X Y") == "abc def x y"

    def test_other_scripts_become_signs_of_ascii(self) -> None:
        """The same letter is always the same sign, so that three in a row are a trigram in any locale."""
        text = rules.comparable("净滩行动", "净滩")
        first, second = text.split()
        assert text.isascii()
        assert (len(first), second) == (4, first[:2])
        assert len(set(rules.comparable("一二三四五六七八九十", "甲"))) > 5

    def test_only_the_beginning_counts(self) -> None:
        """What is compared has a bound."""
        assert len(rules.comparable("净滩", "做" * 4_000)) == 240


class TestMoved:
    def test_a_week_later_is_the_same_local_time(self) -> None:
        """Also across the night in which the clocks change, on 6 November 2022 in New York."""
        starts = datetime(2022, 11, 1, 9, tzinfo=NEW_YORK).astimezone(UTC)
        shift = replace(SHIFT, starts_at=starts, ends_at=starts + timedelta(hours=2))

        [later] = rules.moved(make_content(timezone="America/New_York", shifts=(shift,)), days=7).shifts

        assert later.starts_at == datetime(2022, 11, 8, 9, tzinfo=NEW_YORK)
        assert later.starts_at - starts == timedelta(days=7, hours=1)
        assert (later.ends_at - later.starts_at, later.capacity) == (timedelta(hours=2), SHIFT.capacity)

    def test_not_beyond_what_calendars_know(self) -> None:
        """The last day of 2199 is the last."""
        shift = replace(
            SHIFT, starts_at=datetime(2199, 12, 24, 1, tzinfo=UTC), ends_at=datetime(2199, 12, 24, 2, tzinfo=UTC)
        )
        content = make_content(shifts=(shift,))
        assert rules.moved(content, days=7).shifts[0].ends_at.day == 31
        with pytest.raises(rules.TooFarAhead):
            rules.moved(content, days=8)

    def test_days_are_local(self) -> None:
        """From late on Monday to early on the Monday after are seven days."""
        first = datetime(2022, 6, 6, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
        second = datetime(2022, 6, 13, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
        assert rules.days_between(first, second, ZoneInfo("Asia/Shanghai")) == 7
        assert rules.days_between(first, second, ZoneInfo("UTC")) == 6


class TestReference:
    @pytest.mark.parametrize(
        ("round_number", "number", "reference"), [(12, 34, "R012-0034"), (1_000, 12_345, "R1000-12345")]
    )
    def test_it_is_made_of_round_and_number(self, round_number: int, number: int, reference: str) -> None:
        """Longer numbers make it longer, never another's."""
        assert rules.reference_of(round_number=round_number, number=number) == reference

    def test_a_taken_one_gets_a_count(self) -> None:
        """The first that is free."""
        assert rules.free_reference("R1-1", set()) == "R1-1"
        assert rules.free_reference("R1-1", {"R1-1"}) == "R1-1-2"
        assert rules.free_reference("R1-1", {"R1-1", "R1-1-2"}) == "R1-1-3"
