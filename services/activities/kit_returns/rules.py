"""What follows when a kit does not come back, and what the partner may claim for it. Source: DOMAIN.md section 4.

The cost is claimed by the partner, decided by a stranger to it, and paid outside the hours' waterfall: amounts are
whole fen, at most the ceiling that was agreed when the activity was published.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.kits.rules import BLOCKING
from services.activities.kits.rules import State as KitState
from shared.errors import Conflict, Invalid, NotAllowed, Title
from shared.working_days import PLAIN, Calendar, day_of, end_of

LOST_DAYS: Final = 20  # Working days after it became overdue.


class State(StrEnum):
    """Where a claim for a kit's cost stands. `paid` is to follow when the ledger tells of it (decision 0056)."""

    CLAIMED = "claimed"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"  # The kit was found before anything was paid.


class Command(StrEnum):
    """What can be done with such a claim."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CANCEL = "cancel"


class NotBlocking(Conflict):
    """The kit keeps nobody from anything, or no longer: there is nothing to lift."""

    code = "kit_not_blocking"
    title = Title(zh="该物料包没有造成限制", en="This kit restricts nobody")


class KitNotLost(Conflict):
    """Only what a kit has cost that is lost can be claimed, or owed; `state` says where this one is."""

    code = "kit_not_lost"
    title = Title(zh="该物料包未登记为遗失", en="This kit is not lost")


class CostClaimed(Conflict):
    """The cost of this kit was claimed already, and otherwise: a kit has one claim."""

    code = "kit_cost_claimed"
    title = Title(zh="该物料包的费用已申报过", en="The cost of this kit was claimed already")


class CostDecided(Conflict):
    """In its state, this cannot be done with the claim; `state` and `command` say what."""

    code = "kit_cost_decided"
    title = Title(zh="该费用申报的当前状态不允许此操作", en="The state of this cost claim does not allow it")


class BadCost(Invalid):
    """The amount is not within what can be: at least one fen, and at most `most_fen`."""

    code = "bad_kit_cost"
    title = Title(zh="金额超出允许范围", en="The amount is out of bounds")


class OwnCost(NotAllowed):
    """Who claims, is of the partner that claims, or had the kit, does not decide on its cost."""

    code = "own_kit_cost"
    title = Title(zh="费用须由无关人员审批", en="A stranger to the claim decides on this cost")


_S, _C = State, Command
TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (_S.CLAIMED, _C.APPROVE): _S.APPROVED,
    (_S.CLAIMED, _C.REFUSE): _S.REFUSED,
    (_S.CLAIMED, _C.CANCEL): _S.CANCELLED,
    (_S.APPROVED, _C.CANCEL): _S.CANCELLED,
}


def next_state(state: str, command: Command) -> State:
    """Return what a command makes of a claim. Raises CostDecided."""
    following = TRANSITIONS.get((State(state), command))
    if following is None:
        raise CostDecided(state=state, command=command.value)
    return following


def is_unpaid(state: str) -> bool:
    """Say whether a claim ends when its kit is found."""
    return (State(state), Command.CANCEL) in TRANSITIONS


def require_within(amount_fen: int, *, most_fen: int, field: str) -> None:
    """Refuse what is nothing, or more than allowed. Raises BadCost."""
    if not 1 <= amount_fen <= most_fen:
        raise BadCost(field=field, most_fen=most_fen)


def require_lost(state: str) -> None:
    """Refuse the cost of a kit that is not lost. Raises KitNotLost."""
    if state != KitState.LOST:
        raise KitNotLost(state=state)


def require_same(*, is_same: bool) -> None:
    """Refuse a second claim that says something else than the first. Raises CostClaimed."""
    if not is_same:
        raise CostClaimed


def require_stranger(by: UUID, parties: Collection[UUID], *, partner_id: UUID, of_partner: UUID | None) -> None:
    """Refuse to decide as one of the parties, or as a member of the partner that claims. Raises OwnCost."""
    if by in parties or partner_id == of_partner:
        raise OwnCost


def lose_at(overdue_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return when the calendar gives up a kit that became overdue at that instant.

    Counted from then, not from when it was due: an outage of ours takes no day from anybody.
    """
    return end_of(calendar.after(day_of(overdue_at, zone), LOST_DAYS), zone)


def require_blocking(state: str, *, cleared_at: datetime | None) -> None:
    """Refuse to lift what restricts nobody. Raises NotBlocking."""
    if state not in BLOCKING or cleared_at is not None:
        raise NotBlocking(state=state)
