from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.activities.reviews import rules
from services.activities.reviews.rules import (
    HANDBOOK,
    HANDBOOKS,
    Answers,
    Decision,
    Mark,
    Marked,
    Reason,
    Tally,
    Verdict,
)
from tests.factories.activities import MINUTE, NINE
from tests.factories.proposals import ALL_WELL, DAY

SECOND = timedelta(seconds=1)
FIRST, *_ = HANDBOOK.items


def answered(item: str, mark: Mark, remark: str = "") -> Answers:
    """Answer one item otherwise, all others with yes."""
    others = tuple(each for each in ALL_WELL.marks if each.item != item)
    return replace(ALL_WELL, marks=(Marked(item, mark, remark), *others))


class TestHandbook:
    def test_versions_count_up_and_items_are_named_once(self) -> None:
        """What was answered to an old version can still be read."""
        assert [book.version for book in HANDBOOKS] == list(range(1, len(HANDBOOKS) + 1))
        for book in HANDBOOKS:
            assert len({item.code for item in book.items}) == len(book.items)
            assert all(text for item in book.items for text in item.says)

    @pytest.mark.parametrize("version", [HANDBOOK.version - 1, HANDBOOK.version + 1])
    def test_only_the_current_version_is_answered(self, version: int) -> None:
        """A reviewer with an old page goes through the new one."""
        with pytest.raises(rules.HandbookOutdated):
            rules.require_answers(replace(ALL_WELL, version=version))

    @pytest.mark.parametrize(
        "answers",
        [
            answered("weather", Mark.YES),
            replace(ALL_WELL, marks=(*ALL_WELL.marks, Marked(FIRST.code, Mark.YES))),
            answered(FIRST.code, Mark.NOT_APPLICABLE),
            answered(FIRST.code, Mark.NO),
            answered(FIRST.code, Mark.NO, "  "),
        ],
    )
    def test_answers_that_do_not_fit_are_refused(self, answers: Answers) -> None:
        """An unknown item, one twice, one that always applies, and a bare no."""
        with pytest.raises(rules.BadAnswers):
            rules.require_answers(answers)

    def test_some_items_need_not_apply_and_a_no_has_a_remark(self) -> None:
        """Part of the answers is enough to send something back."""
        rules.require_answers(answered("insurance", Mark.NOT_APPLICABLE))
        rules.require_answers(answered(FIRST.code, Mark.NO, "受益人不明"))
        rules.require_answers(Answers(HANDBOOK.version, ()))


class TestVerdict:
    def test_an_approval_has_every_answer_and_no_no(self) -> None:
        """Otherwise it is sent back, or rejected."""
        rules.require_verdict(Verdict(Decision.APPROVED, answers=ALL_WELL))
        for answers in (None, replace(ALL_WELL, marks=ALL_WELL.marks[1:])):
            with pytest.raises(rules.BadAnswers):
                rules.require_verdict(Verdict(Decision.APPROVED, answers=answers))
        with pytest.raises(rules.HandbookSaysNo) as refused:
            rules.require_verdict(Verdict(Decision.APPROVED, answers=answered(FIRST.code, Mark.NO, "不符")))
        assert refused.value.facts == {"items": [FIRST.code]}

    def test_a_rejection_and_nothing_else_has_reasons_and_words(self) -> None:
        """The partner reads the words, the programme counts the reasons."""
        rules.require_verdict(Verdict(Decision.REJECTED, "重复", (Reason.DUPLICATE,)))
        for wrong in (
            Verdict(Decision.REJECTED, "重复"),
            Verdict(Decision.REJECTED, " ", (Reason.DUPLICATE,)),
            Verdict(Decision.APPROVED, "好", (Reason.OTHER,), answers=ALL_WELL),
            Verdict(Decision.CHANGES_REQUESTED, "改", (Reason.OTHER,)),
        ):
            with pytest.raises(rules.ReasonsNeeded):
                rules.require_verdict(wrong)

    def test_changes_are_requested_of_fields_that_there_are(self) -> None:
        """Or of a part of one."""
        rules.require_verdict(
            Verdict(Decision.CHANGES_REQUESTED, requests=(("shifts.0.capacity", "少"), ("risks", "补")))
        )
        with pytest.raises(rules.UnknownField):
            rules.require_verdict(Verdict(Decision.CHANGES_REQUESTED, requests=(("weather", "晴"),)))


def test_nobody_reviews_their_own() -> None:
    """A member of the partner does not, nor who handed it in on its behalf; another partner's member may."""
    person, partner, other = uuid4(), uuid4(), uuid4()
    rules.require_impartial(reviewer_id=person, reviewers_partner=None, partner_id=partner, submitted_by=other)
    rules.require_impartial(reviewer_id=person, reviewers_partner=other, partner_id=partner, submitted_by=None)
    with pytest.raises(rules.OwnProposal):
        rules.require_impartial(reviewer_id=person, reviewers_partner=partner, partner_id=partner, submitted_by=other)
    with pytest.raises(rules.OwnProposal):
        rules.require_impartial(reviewer_id=person, reviewers_partner=None, partner_id=partner, submitted_by=person)


def test_a_proposal_is_with_one_reviewer() -> None:
    """Who has it may take it again and decide; nobody else."""
    person = uuid4()
    rules.require_unclaimed(person, reviewer_id=person)
    rules.require_theirs(person, reviewer_id=person)
    for other in (None, uuid4()):
        with pytest.raises(rules.AlreadyClaimed):
            rules.require_unclaimed(person, reviewer_id=other)
        with pytest.raises(rules.NotYourReview):
            rules.require_theirs(person, reviewer_id=other)


@pytest.mark.parametrize(("now", "start"), [(NINE, NINE + DAY), (NINE + 2 * DAY, NINE + 2 * DAY)])
def test_shifts_begin_after_they_are_published(now: datetime, start: datetime) -> None:
    """After the round's publish time, or after now if that is later; to the second."""
    publish_at = NINE + DAY
    rules.require_shifts_ahead([start + SECOND], publish_at=publish_at, now=now)
    with pytest.raises(rules.ShiftsOver):
        rules.require_shifts_ahead([start + DAY, start], publish_at=publish_at, now=now)


def test_a_thread_has_an_end() -> None:
    """At the two hundredth comment."""
    rules.require_room_for_comment(rules.MOST_COMMENTS - 1)
    with pytest.raises(rules.TooManyComments):
        rules.require_room_for_comment(rules.MOST_COMMENTS)


@pytest.mark.parametrize(
    ("waited", "minutes"), [(timedelta(0), 0), (MINUTE - SECOND, 0), (MINUTE, 1), (DAY, 1_440), (-SECOND, 0)]
)
def test_review_time_is_in_whole_minutes(waited: timedelta, minutes: int) -> None:
    """Rounded down, and never less than none."""
    assert rules.review_minutes(submitted_at=NINE, decided_at=NINE + waited) == minutes


class TestTally:
    @pytest.mark.parametrize(
        ("approved", "rejected", "permille"),
        [
            (0, 0, None),
            (1, 0, 1_000),
            (0, 1, 0),
            (1, 2, 333),
            (2, 1, 667),
            (2_171, 464, 824),
            (1, 1_999, 1),
            (1, 2_001, 0),
        ],
    )
    def test_the_pass_rate_is_of_what_was_decided(self, approved: int, rejected: int, permille: int | None) -> None:
        """In thousandths, half up; the season of 2022 passed 82.4 %."""
        assert Tally(approved=approved, rejected=rejected, submitted=7).pass_permille == permille

    def test_the_gap_is_what_is_approved_too_little(self) -> None:
        """And never negative."""
        tally = Tally(submitted=50, approved=10, rejected=2, changes_requested=1, withdrawn=3, expired=4, in_review=5)
        assert tally.proposals == 75
        assert [rules.gap(tally, target=target) for target in (9, 10, 11)] == [0, 0, 1]
