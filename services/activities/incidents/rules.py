"""What has to be looked into by a person, by when, and who may see it. Source: DOMAIN.md section 4, "Feedback"."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict, Title

MOST_NOTES = 500  # Of one incident; who needs more has two.


class State(StrEnum):
    """How far an incident is."""

    OPEN = "open"  # Nobody looks into it yet.
    IN_PROGRESS = "in_progress"  # Its owner does.
    RESOLVED = "resolved"  # There was something, and it was dealt with.
    DISMISSED = "dismissed"  # There was nothing.


class Command(StrEnum):
    """What can be done with an incident."""

    ASSIGN = "assign"
    SHARE = "share"
    NOTE = "note"
    RESOLVE = "resolve"
    DISMISS = "dismiss"


class Side(StrEnum):
    """Who opened an incident."""

    STAFF = "staff"
    PARTNER = "partner"
    VOLUNTEER = "volunteer"
    SYSTEM = "system"  # A rule of ours found it.


class AlreadyClosed(Conflict):
    """The incident is resolved or dismissed; what comes up later is another one."""

    code = "incident_closed"
    title = Title(zh="该事件已关闭", en="This incident is closed")


class IncidentUnowned(Conflict):
    """Nobody has taken the incident on: who closes it is its owner's business first."""

    code = "incident_unowned"
    title = Title(zh="请先指定负责人", en="Assign the incident to somebody first")


class TooManyNotes(Conflict):
    """The incident has as many notes as it may have."""

    code = "too_many_notes"
    title = Title(zh="记录条数已达上限", en="The incident has too many notes")


_DONE = {State.RESOLVED, State.DISMISSED}
AFTER: Mapping[Command, State | None] = {  # None: the state stays.
    Command.ASSIGN: State.IN_PROGRESS,
    Command.SHARE: None,
    Command.NOTE: None,
    Command.RESOLVE: State.RESOLVED,
    Command.DISMISS: State.DISMISSED,
}
TIME_TO_CLOSE: Mapping[str, timedelta] = {  # By kind. Whoever assigns one may set another deadline.
    "safety": timedelta(days=1),
    "accident": timedelta(days=1),
    "data": timedelta(days=3),
    "fraud_signal": timedelta(days=7),
    "complaint": timedelta(days=7),
    "other": timedelta(days=14),
}


def state_after(state: State, command: Command) -> State:
    """Return the state after a command. Raises AlreadyClosed, IncidentUnowned."""
    if state in _DONE:
        raise AlreadyClosed
    after = AFTER[command]
    if after in _DONE and state is State.OPEN:
        raise IncidentUnowned
    return after or state


def deadline_of(kind: str, *, opened_at: datetime) -> datetime:
    """Return by when an incident of a kind is to be closed."""
    return opened_at + TIME_TO_CLOSE[kind]


def is_shared_at_once(side: Side) -> bool:
    """Say whether the partner that an incident is about sees it from the beginning: what it reported itself.

    A complaint about a partner is not for those whom it is about, unless staff shares it.
    """
    return side is Side.PARTNER


def require_room(notes: int) -> None:
    """Refuse a note too many. Raises TooManyNotes."""
    if notes >= MOST_NOTES:
        raise TooManyNotes(most=MOST_NOTES)
