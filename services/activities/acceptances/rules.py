"""Who accepts work, how much of it, and what that comes to. Source: DOMAIN.md section 4, "Deliverable"."""

from typing import Final
from uuid import UUID

from services.activities.deliverables.rules import Command, State
from shared.errors import Conflict, Invalid, NotAllowed, Title

MOST_AT_ONCE: Final = 200
ACCEPTING: Final = frozenset({State.ACCEPTED, State.PARTIALLY_ACCEPTED})


class SubmissionSuperseded(Conflict):
    """Somebody decides on another submission than the last one; `submission` is that one."""

    code = "submission_superseded"
    title = Title(zh="志愿者已提交新的版本", en="There is a newer submission")


class OwnDeliverable(NotAllowed):
    """Who has done the work does not accept it: that takes the second key."""

    code = "own_deliverable"
    title = Title(zh="不能验收自己的交付物", en="Work is accepted by somebody else than who did it")


class BadPieces(Invalid):
    """At least one piece is accepted, and no more than were handed in."""

    code = "bad_pieces"
    title = Title(zh="验收件数有误", en="The number of accepted pieces is wrong")


class PartNeedsReason(Invalid):
    """Who accepts less than was handed in says why."""

    code = "part_needs_reason"
    title = Title(zh="请说明理由", en="Say why")


def require_stranger(by: UUID, *, volunteer_id: UUID) -> None:
    """Refuse to decide on one's own work, as a partner's member who is a volunteer might. Raises OwnDeliverable."""
    if by == volunteer_id:
        raise OwnDeliverable


def require_last(submission: int, *, last: int) -> None:
    """Refuse to decide on what was handed in before the last time. Raises SubmissionSuperseded."""
    if submission != last:
        raise SubmissionSuperseded(submission=last)


def acceptance(pieces: int | None, *, handed_in: int, reason: str | None) -> tuple[Command, int]:
    """Say which command it is to accept so many pieces, None for all, and how many those are.

    Raises BadPieces, and PartNeedsReason for fewer than were handed in.
    """
    accepted = handed_in if pieces is None else pieces
    if not 1 <= accepted <= handed_in:
        raise BadPieces(field="pieces", least=1, most=handed_in)
    if accepted == handed_in:
        return Command.ACCEPT, accepted
    if reason is None:
        raise PartNeedsReason(field="reason")
    return Command.ACCEPT_PARTLY, accepted


def agreed_minutes(*, pieces: int, minutes_per_piece: int) -> int:
    """Say how many minutes were agreed for accepted pieces."""
    return pieces * minutes_per_piece
