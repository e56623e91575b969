"""What a partner records of who was there. Source: DOMAIN.md sections 4, "Attendance", and 10, "walk-ins"."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.activities.sign_ups.rules import Command
from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Conflict, Invalid, NotAllowed, Title

MOST_AT_ONCE: Final = 200
MOST_GUESTS: Final = 10_000


class Way(StrEnum):
    """Which way people go whom a partner ticks off."""

    IN = "in"
    OUT = "out"


class State(StrEnum):
    """What became of a walk-in that a partner recorded."""

    RECORDED = "recorded"  # The volunteer is asked.
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class UnknownEmployee(Invalid):
    """Nobody of this number is registered in the programme."""

    code = "unknown_employee"
    title = Title(zh="没有这个员工编号", en="There is no such employee number")


class HasPlace(Conflict):
    """Who has a place is no walk-in: the roster, or a claim, says that they were there."""

    code = "has_place"
    title = Title(zh="此人已报名该场次", en="This person has a place on the shift")


class WalkInExists(Conflict):
    """The person is recorded already, with other times."""

    code = "walk_in_exists"
    title = Title(zh="此人的到场已登记", en="This walk-in is recorded already")


class WalkInAnswered(Conflict):
    """The volunteer has said the opposite."""

    code = "walk_in_answered"
    title = Title(zh="该到场登记已答复", en="This walk-in was answered already")


class WalkInTooLate(Conflict):
    """The time in which a walk-in is recorded and confirmed is over."""

    code = "walk_in_too_late"
    title = Title(zh="已超过登记或确认期限", en="The time for this walk-in is over")


class OwnWalkIn(NotAllowed):
    """Nobody records themself as a partner's member, and then confirms it as a volunteer."""

    code = "own_walk_in"
    title = Title(zh="不能登记本人的到场", en="Somebody else has to record your walk-in")


ANSWERS: Mapping[bool, State] = {True: State.CONFIRMED, False: State.DECLINED}


def is_repeat(state: str, answer: State) -> bool:
    """Say whether a walk-in was answered like this already. Raises WalkInAnswered if it was answered otherwise."""
    if state not in {State.RECORDED, answer}:
        raise WalkInAnswered
    return state == answer


def require_before(until: datetime, *, now: datetime) -> None:
    """Refuse what comes too late. Raises WalkInTooLate."""
    if now >= until:
        raise WalkInTooLate(until=until)


def require_another(volunteer_id: UUID, recorded_by: UUID) -> None:
    """Refuse both keys of one person. Raises OwnWalkIn."""
    if volunteer_id == recorded_by:
        raise OwnWalkIn


def require_no_place(*, has_place: bool) -> None:
    """Refuse a walk-in of somebody who has a place. Raises HasPlace."""
    if has_place:
        raise HasPlace


def admission(state: str) -> Command:
    """Say how somebody who signed up and had no place comes to the one that they had after all."""
    waiting = {PlaceState.WAITLISTED: Command.TAKE, PlaceState.OFFERED: Command.ACCEPT}
    return waiting.get(PlaceState(state), Command.RETURN)


def require_same(*, is_same: bool) -> None:
    """Refuse to record other times of a walk-in that is recorded. Raises WalkInExists."""
    if not is_same:
        raise WalkInExists
