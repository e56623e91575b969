"""The life of a proposal, and what differs between two of its versions. Source: DOMAIN.md section 4, "Proposal"."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.activities.checklists.rules import Content, Finding
from shared.errors import Conflict, Invalid, Title

MOST_SUBMISSIONS = 20  # Of one proposal: what is not ready by then is for a talk, not for another version.
ALIKE_PERCENT = 60  # Trigrams in common, of all: from here on two texts are shown side by side.
ALIKE_WITHIN = timedelta(days=180)  # What was submitted earlier is no longer a duplicate but a tradition.
MOST_ALIKE = 10
LAST_YEAR = 2199  # As the doors take dates.
_COMPARED = 240  # Characters; a description's beginning tells it from others, and each costs a look-up.
_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbours in Unicode fall far apart.


class State(StrEnum):
    """Where a proposal stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Command(StrEnum):
    """What somebody, or a timer, does with a proposal."""

    EDIT = "edit"
    SUBMIT = "submit"
    CLAIM = "claim"
    RELEASE = "release"
    REQUEST_CHANGES = "request_changes"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


TRANSITIONS: Final[dict[tuple[State, Command], State]] = {
    (State.DRAFT, Command.EDIT): State.DRAFT,
    (State.DRAFT, Command.SUBMIT): State.SUBMITTED,
    (State.DRAFT, Command.WITHDRAW): State.WITHDRAWN,
    (State.DRAFT, Command.EXPIRE): State.EXPIRED,
    (State.SUBMITTED, Command.CLAIM): State.IN_REVIEW,
    (State.SUBMITTED, Command.WITHDRAW): State.WITHDRAWN,
    (State.IN_REVIEW, Command.RELEASE): State.SUBMITTED,
    (State.IN_REVIEW, Command.REQUEST_CHANGES): State.CHANGES_REQUESTED,
    (State.IN_REVIEW, Command.APPROVE): State.APPROVED,
    (State.IN_REVIEW, Command.REJECT): State.REJECTED,
    (State.IN_REVIEW, Command.WITHDRAW): State.WITHDRAWN,
    (State.CHANGES_REQUESTED, Command.EDIT): State.CHANGES_REQUESTED,
    (State.CHANGES_REQUESTED, Command.SUBMIT): State.SUBMITTED,
    (State.CHANGES_REQUESTED, Command.WITHDRAW): State.WITHDRAWN,
    (State.CHANGES_REQUESTED, Command.EXPIRE): State.EXPIRED,
}
# The partner has to act on these, until the round's review deadline; what is with a reviewer never expires.
WITH_PARTNER: Final = tuple(sorted(state for state, command in TRANSITIONS if command is Command.EXPIRE))
WAITING: Final = (State.SUBMITTED, State.IN_REVIEW)  # For us.
UNDER_WAY: Final = (*WITH_PARTNER, *WAITING)
# What counts against a partner's quota in a round; a rejected one too, lest anybody try until something gets through.
COUNTED: Final = (*WAITING, State.CHANGES_REQUESTED, State.APPROVED, State.REJECTED)


class WrongProposalState(Conflict):
    """The proposal stands where this cannot be done; `state` says where."""

    code = "wrong_proposal_state"
    title = Title(zh="方案当前状态不允许此操作", en="The proposal's state does not allow this")


class HasFindings(Invalid):
    """The automatic checklist stands in the way; `findings` are pairs of field and code."""

    code = "proposal_has_findings"
    title = Title(zh="方案未通过自动检查", en="The automatic checklist has findings")


class SubmissionClosed(Conflict):
    """The round does not take this proposal: not open yet, closed, past its review deadline, or cancelled."""

    code = "submission_closed"
    title = Title(zh="本轮招募现在不接受提交", en="The round takes no submissions now")


class TooManySubmissions(Conflict):
    """The proposal was submitted as often as one may be."""

    code = "too_many_submissions"
    title = Title(zh="该方案提交次数已达上限", en="The proposal was submitted too often")


class UnknownRound(Invalid):
    """There is no such round in the programme."""

    code = "unknown_round"
    title = Title(zh="没有这一轮招募", en="There is no such round")


class TooFarAhead(Invalid):
    """A shift would move beyond the years that calendars agree about."""

    code = "shift_too_far_ahead"
    title = Title(zh="场次日期过远", en="A shift would be too far ahead")


def after(state: str, command: Command) -> State:
    """Say where a command leads. Raises WrongProposalState."""
    found = TRANSITIONS.get((State(state), command))
    if found is None:
        raise WrongProposalState(state=state, command=str(command))
    return found


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a round takes proposals, [opens_at, closes_at), and until when what was sent back may come again."""

    opens_at: datetime
    closes_at: datetime
    review_by: datetime
    is_cancelled: bool = False


def require_submission_open(deadlines: Deadlines, *, is_first: bool, now: datetime) -> None:
    """Refuse a submission out of time. Raises SubmissionClosed."""
    until = deadlines.closes_at if is_first else deadlines.review_by
    if deadlines.is_cancelled or not deadlines.opens_at <= now < until:
        raise SubmissionClosed(opens_at=deadlines.opens_at.isoformat(), until=until.isoformat())


def require_not_over(deadlines: Deadlines, *, now: datetime) -> None:
    """Refuse to begin something in a round that will not take it; it may open later. Raises SubmissionClosed."""
    if deadlines.is_cancelled or now >= deadlines.closes_at:
        raise SubmissionClosed(opens_at=deadlines.opens_at.isoformat(), until=deadlines.closes_at.isoformat())


def require_fit(findings: Collection[Finding]) -> None:
    """Refuse what the checklist blocks; warnings pass. Raises HasFindings."""
    blocking = [[each.field, each.code] for each in findings if each.is_blocking]
    if blocking:
        raise HasFindings(field=blocking[0][0], findings=blocking)


def require_submissions_left(submissions: int) -> None:
    """Refuse a version too many. Raises TooManySubmissions."""
    if submissions >= MOST_SUBMISSIONS:
        raise TooManySubmissions(most=MOST_SUBMISSIONS)


def comparable(title: str, description: str) -> str:
    """Write a text so that PostgreSQL finds its trigrams whatever its locale, each letter as one of 36 signs.

    In the locale C, trigrams know ASCII alone (pg_trgm, `ISWORDCHR`). Case, width and punctuation are folded away; of
    other scripts each letter becomes a sign by hash: three in a row are 46,656, so chance makes few texts alike.
    """
    folded = unicodedata.normalize("NFKC", f"{title}\n{description}").casefold()
    words = "".join(each if each.isalnum() else " " for each in folded).split()
    return " ".join("".join(map(_sign, word)) for word in words)[:_COMPARED]


def _sign(letter: str) -> str:
    return letter if letter in _SIGNS else _SIGNS[(ord(letter) * _SPREAD >> 12) % len(_SIGNS)]


@dataclass(frozen=True, slots=True)
class Difference:
    """What stood in a field of the version before, and what stands there now; None where there was, or is, nothing."""

    field: str
    before: str | int | None
    after: str | int | None


def differences(before: Content, after: Content) -> list[Difference]:
    """List the fields in which two versions differ, as `shifts.0.capacity`, in the order of the content."""
    was, now = dict(_leaves(asdict(before))), dict(_leaves(asdict(after)))
    fields = [*now, *(field for field in was if field not in now)]
    pairs = ((field, was.get(field), now.get(field)) for field in fields)
    return [Difference(*each) for each in pairs if each[1] != each[2]]


def _leaves(part: object, path: str = "") -> Iterator[tuple[str, str | int | None]]:
    if isinstance(part, datetime):
        yield path, part.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif isinstance(part, dict | list | tuple):
        parts: Iterable[tuple[object, object]] = part.items() if isinstance(part, dict) else enumerate(part)
        for name, each in parts:
            yield from _leaves(each, f"{path}.{name}" if path else str(name))
    else:
        yield path, part if part is None or isinstance(part, str | int) else str(part)


def moved(content: Content, *, days: int) -> Content:
    """Repeat a content some days later, at the same local times. Raises TooFarAhead."""
    zone = ZoneInfo(content.timezone)

    def later(instant: datetime) -> datetime:
        return (
            (instant.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC)
        )

    shifts = [replace(each, starts_at=later(each.starts_at), ends_at=later(each.ends_at)) for each in content.shifts]
    if any(each.ends_at.year > LAST_YEAR for each in shifts):
        raise TooFarAhead(field="round_id", last_year=LAST_YEAR)
    return replace(content, shifts=tuple(shifts))


def days_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> int:
    """Count the local days from one round's publish time to another's."""
    return (later.astimezone(zone).date() - earlier.astimezone(zone).date()).days


def reference_of(*, round_number: int, number: int) -> str:
    """Name what is published of a round's proposal: R012-0034."""
    return f"R{round_number:03}-{number:04}"


def free_reference(reference: str, taken: Collection[str]) -> str:
    """Return a reference that nobody has, with a count behind it if somebody else's sheet was quicker."""
    tries = (reference, *(f"{reference}-{count}" for count in range(2, len(taken) + 3)))
    return next(each for each in tries if each not in taken)
