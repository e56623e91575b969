"""On which dates service may become money. Source: DOMAIN.md sections 4 and 10, "volunteer left the company".

Eligibility is as of the date of service: who has left by then keeps the service, and no minute of it is matched.
Of whom no interval is recorded nothing is known against them: they are eligible on every date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from shared.errors import Invalid, Title

MOST_INTERVALS = 20  # Of one person.


class BadIntervals(Invalid):
    """Intervals are empty or overlap."""

    code = "bad_intervals"
    title = Title(zh="在职区间为空或相互重叠", en="The intervals are empty or overlap")


@dataclass(frozen=True, slots=True)
class Interval:
    """The local dates from `since` up to, not including, `until`; None is open."""

    since: date | None
    until: date | None

    def holds(self, day: date) -> bool:
        """Say whether a date lies in it."""
        return self.first <= day and (self.until is None or day < self.until)

    def is_before(self, other: "Interval") -> bool:
        """Say whether it ends before another begins, or as that begins."""
        return self.until is not None and self.until <= other.first

    @property
    def is_empty(self) -> bool:
        """Whether no date lies in it."""
        return self.until is not None and self.until <= self.first

    @property
    def first(self) -> date:
        """The first date in it, as far as there are dates."""
        return self.since or date.min


def is_eligible(intervals: Sequence[Interval], day: date) -> bool:
    """Say whether service on a date may be matched, of somebody with these intervals."""
    return not intervals or any(interval.holds(day) for interval in intervals)


def require_apart(intervals: Iterable[Interval]) -> list[Interval]:
    """Return intervals in order. Raises BadIntervals for an empty one, and for two that share a date."""
    ordered = sorted(intervals, key=lambda each: each.first)
    if any(each.is_empty for each in ordered):
        raise BadIntervals(field="intervals", expected="until after since")
    if not all(one.is_before(next_) for one, next_ in pairwise(ordered)):
        raise BadIntervals(field="intervals", expected="intervals that share no date")
    return ordered


def united(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same dates as intervals that neither overlap nor touch."""
    found: list[Interval] = []
    for each in sorted(intervals, key=lambda one: one.first):
        last = found[-1] if found else None
        if last is None or (last.until is not None and last.until < each.first):
            found.append(each)
        elif last.until is not None and (each.until is None or each.until > last.until):
            found[-1] = Interval(last.since, each.until)
    return found
