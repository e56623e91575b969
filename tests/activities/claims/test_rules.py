from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.activities.attendance.rules import BadTimes
from services.activities.claims import rules
from services.activities.claims.rules import Command, Review, Side, State
from shared.errors import Refusal
from tests.factories.activities import NINE, NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")
ME, YOU, THIRD = uuid4(), uuid4(), uuid4()
# (state, why it waits) → what each command makes of it; every other command is `claim_settled`.
POSSIBLE: dict[tuple[State, Review | None], dict[Command, str]] = {
    (State.OPEN, None): {
        Command.CONFIRM: "confirmed", Command.OBJECT: "objected",
        Command.UPHOLD: "claim_not_for_review", Command.REJECT: "claim_not_for_review",
    },
    (State.OPEN, Review.UNANSWERED): {
        Command.CONFIRM: "confirmed", Command.OBJECT: "objected", Command.UPHOLD: "upheld",
        Command.REJECT: "rejected", Command.EXPIRE: "expired",
    },
    (State.CONFIRMED, Review.GATE): {
        Command.UPHOLD: "upheld", Command.REJECT: "rejected", Command.EXPIRE: "expired",
    },
    (State.OBJECTED, Review.OBJECTED): {
        Command.UPHOLD: "upheld", Command.REJECT: "rejected", Command.EXPIRE: "expired",
    },
    (State.REJECTED, None): {Command.APPEAL: "rejected"},
    (State.EXPIRED, None): {Command.APPEAL: "expired"},
    (State.REJECTED, Review.APPEAL): {Command.UPHOLD: "upheld", Command.REJECT: "rejected"},
    (State.EXPIRED, Review.APPEAL): {Command.UPHOLD: "upheld", Command.REJECT: "rejected"},
}  # fmt: skip


def outcome(state: State, review: Review | None, command: Command) -> str:
    try:
        return rules.next_state(state, review, command)
    except Refusal as refusal:
        return refusal.code


def test_the_table_of_states_and_commands_is_whole() -> None:
    """Each command in each state, waiting for a reviewer or not, has one outcome, and it is written down here."""
    found = {
        (state, review, command): outcome(state, review, command)
        for state in State for review in (None, *Review) for command in Command
    }  # fmt: skip
    expected = {
        (state, review, command): POSSIBLE.get((state, review), {}).get(command, "claim_settled")
        for state, review, command in found
    }
    assert found == expected


@pytest.mark.parametrize(
    ("place", "attendance", "kind"),
    [
        ("missed", None, "no_check_in"),
        ("no_show", None, "no_check_in"),
        ("missed", "checked_in", "no_check_out"),
        ("missed", "voided", None),
        ("missed", "settled", None),
        ("confirmed", None, None),
        ("attended", "settled", None),
        ("excused", None, None),
    ],
)
def test_what_was_missed_can_be_claimed(place: str, attendance: str | None, kind: str | None) -> None:
    """And nothing else."""
    if kind is not None:
        assert rules.kind_of(place, attendance) == kind
        return
    with pytest.raises(rules.NothingMissed):
        rules.kind_of(place, attendance)


def test_who_was_not_checked_in_says_when_they_came() -> None:
    """Else there is nothing to settle."""
    assert rules.require_arrival(NINE) == NINE
    with pytest.raises(BadTimes):
        rules.require_arrival(None)


def end(day: int) -> datetime:
    """Return the end of a day of June 2022 in Shanghai."""
    return datetime(2022, 6, day, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "answer_until", "decide_until"),
    [
        (NOON, end(8), end(10)),  # On Wednesday 1 June: five working days to answer, two to decide.
        (end(6) - timedelta(seconds=1), end(8), end(10)),  # Monday still leaves two days to answer.
        (end(6), end(9), end(13)),  # On Tuesday it is late, so the answer has until Thursday.
        (end(10) - timedelta(seconds=1), end(14), end(16)),  # The last instant: a Friday.
    ],
)
def test_terms_leave_time_to_answer_and_to_decide(
    now: datetime, answer_until: datetime, decide_until: datetime
) -> None:
    """Seven working days in all, and two to answer a late claim, then two for the reviewer."""
    terms = rules.terms_of(NOON, SHANGHAI, now=now)
    assert (terms.answer_until, terms.decide_until) == (answer_until, decide_until)


def test_after_seven_working_days_nothing_is_claimed() -> None:
    """The end is excluded."""
    with pytest.raises(rules.ClaimTooLate):
        rules.terms_of(NOON, SHANGHAI, now=end(10))


def test_an_appeal_has_five_working_days() -> None:
    """From a Wednesday to the end of the next."""
    assert rules.appeal_until(NOON, SHANGHAI) == end(8)


def test_too_late_is_too_late() -> None:
    """The instant itself is."""
    rules.require_before(NOON, now=NOON - timedelta(seconds=1))
    with pytest.raises(rules.ClaimTooLate):
        rules.require_before(NOON, now=NOON)


@pytest.mark.parametrize(
    ("claimed_by", "answering", "by", "works"),
    [
        (Side.VOLUNTEER, Side.PARTNER, YOU, True),
        (Side.VOLUNTEER, Side.VOLUNTEER, YOU, False),
        (Side.VOLUNTEER, Side.PARTNER, ME, False),  # The volunteer, who is the partner's member as well.
        (Side.PARTNER, Side.VOLUNTEER, THIRD, True),
        (Side.PARTNER, Side.VOLUNTEER, ME, False),  # The claimant.
        (Side.PARTNER, Side.PARTNER, YOU, False),
        (Side.VOLUNTEER, None, YOU, False),
    ],
)
def test_the_second_key_is_anothers(*, claimed_by: Side, answering: Side | None, by: object, works: bool) -> None:
    """Of the other side, and of another person."""
    volunteer = ME if claimed_by is Side.VOLUNTEER else THIRD

    def answer() -> None:
        rules.require_second_key(
            claimed_by=claimed_by, answering=answering, by=by, claimant=ME, volunteer_id=volunteer,  # type: ignore[arg-type]  # Ids.
        )  # fmt: skip

    if works:
        answer()
        return
    with pytest.raises(rules.OwnClaim):
        answer()


def test_a_partners_member_is_not_both_keys_of_anothers_claim_for_them() -> None:
    """A colleague claims for them as the partner; they confirm as the volunteer, not as the partner."""
    with pytest.raises(rules.OwnClaim):
        rules.require_second_key(
            claimed_by=Side.VOLUNTEER, answering=Side.PARTNER, by=THIRD, claimant=ME, volunteer_id=THIRD
        )


def test_reviewers_are_strangers_to_the_claim() -> None:
    """And to the first decision, where it is appealed."""
    rules.require_stranger(ME, {YOU, THIRD, None})
    with pytest.raises(rules.OwnClaim):
        rules.require_stranger(ME, {ME, None})
    rules.require_another_reviewer(YOU, ME)
    rules.require_another_reviewer(None, ME)
    with pytest.raises(rules.SameReviewer):
        rules.require_another_reviewer(ME, ME)


def test_a_claim_is_appealed_once_and_made_once() -> None:
    """The second time is refused."""
    rules.require_first_appeal(None)
    with pytest.raises(rules.AppealedOnce):
        rules.require_first_appeal(NOON)
    rules.require_same(is_same=True)
    with pytest.raises(rules.ClaimExists):
        rules.require_same(is_same=False)


@pytest.mark.parametrize(
    ("below", "minutes", "review"),
    [(360, 1_200, False), (361, 1_200, True), (1_199, 1_199, False), (1_200, 1_200, True), (0, 0, False)],
)
def test_too_much_that_is_not_scanned_is_looked_at(below: int, minutes: int, *, review: bool) -> None:
    """More than 30 % of a month, once that is twenty hours at least."""
    assert rules.needs_review(below_minutes=below, minutes=minutes) == review


def test_each_side_has_the_other() -> None:
    """There are two."""
    assert [side.other for side in Side] == [Side.PARTNER, Side.VOLUNTEER]
