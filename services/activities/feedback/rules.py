"""Until when feedback is taken, who sees what of it, and how it adds up. Source: DOMAIN.md section 4, "Feedback"."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict, NotFound, Title

OPEN_FOR = timedelta(days=14)  # After the shift's end; then the answer stands as it is.
LEAST_ANSWERS = 3  # Fewer are nobody's average: who sees only totals would read one person's mark as the activity's.
BASIS_POINTS = 10_000
HUNDREDTHS = 100


class FeedbackClosed(Conflict):
    """The time to answer, or to change an answer, is over."""

    code = "feedback_closed"
    title = Title(zh="反馈已截止", en="The time for feedback is over")


class FeedbackNotDue(Conflict):
    """Nothing is settled yet of what feedback would be about."""

    code = "feedback_not_due"
    title = Title(zh="服务时长尚未确认，暂不能反馈", en="The service is not settled yet; feedback comes after that")


class DidNotServe(NotFound):
    """Nobody of this id served on this shift."""

    code = "did_not_serve"
    title = Title(zh="此人没有参加该场次的服务", en="This person did not serve on this shift")


class RemarkByAnother(Conflict):
    """Another member of the partner has remarked on this person; only who wrote it changes it."""

    code = "remark_by_another"
    title = Title(zh="贵机构其他成员已写过评语", en="Another member of your organisation wrote this remark")


class Measure(StrEnum):
    """What a question's marks are."""

    RATING = "rating"
    CHOICE = "choice"
    YES_NO = "yes_no"


MEASURES: Mapping[str, Measure] = {"number": Measure.RATING, "string": Measure.CHOICE, "boolean": Measure.YES_NO}


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one mark was given to one question; `kind` is what JSON calls the mark's type."""

    key: str
    kind: str
    mark: str
    times: int


@dataclass(frozen=True, slots=True)
class Total:
    """What the answers to one question come to; `mark_sum` over `answers` is the exact mean of a rating."""

    key: str
    measure: Measure
    answers: int
    distribution: Mapping[str, int]
    mark_sum: int | None = None
    mean_hundredths: int | None = None


def closes_at(ends_at: datetime) -> datetime:
    """Return the instant from which on feedback about a shift is closed."""
    return ends_at + OPEN_FOR


def require_open(ends_at: datetime, *, now: datetime) -> None:
    """Refuse an answer that comes too late. Raises FeedbackClosed."""
    if now >= closes_at(ends_at):
        raise FeedbackClosed(closed_at=closes_at(ends_at))


def require_served(state: str | None) -> None:
    """Refuse feedback by or about somebody whose attendance is not settled, None if there is none.

    Raises DidNotServe, FeedbackNotDue.
    """
    if state is None or state == "voided":
        raise DidNotServe
    if state != "settled":
        raise FeedbackNotDue


def require_anybody_served(*, settled: int) -> None:
    """Refuse a partner's feedback on a shift of which nothing is settled. Raises FeedbackNotDue."""
    if settled == 0:
        raise FeedbackNotDue


def is_withheld(answers: int, *, sees_single: bool) -> bool:
    """Say whether so few answers are kept from somebody who does not see single ones by their task."""
    return not sees_single and answers < LEAST_ANSWERS


def rate(answers: int, *, of: int) -> int:
    """Return the share of those asked who answered, in basis points, rounded down; 0 if nobody was asked."""
    return min(answers, of) * BASIS_POINTS // of if of else 0


def totals(tallies: Iterable[Tally]) -> list[Total]:
    """Add up how often each mark was given, by question; one whose kind changed between versions stands twice."""
    counted: dict[tuple[str, Measure], Counter[str]] = {}
    for tally in tallies:
        counted.setdefault((tally.key, MEASURES[tally.kind]), Counter())[tally.mark] += tally.times
    return [_total(key, measure, counts) for (key, measure), counts in sorted(counted.items())]


def _total(key: str, measure: Measure, counts: Counter[str]) -> Total:
    answers = counts.total()
    if measure is not Measure.RATING:
        return Total(key, measure, answers, dict(sorted(counts.items())))
    mark_sum = sum(int(mark) * times for mark, times in counts.items())
    mean = (2 * HUNDREDTHS * mark_sum + answers) // (2 * answers)  # Rounded once, half up.
    return Total(key, measure, answers, dict(sorted(counts.items())), mark_sum, mean)
