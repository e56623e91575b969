"""Who is sent a kit, when it is due back, and what becomes of it. Source: DOMAIN.md section 4, "Kit (craft)".

A kit belongs to one place on one shift. What the calendar does to it restricts (no further kit while one is overdue or
lost) and never costs anybody anything; an operator lifts it with a reason.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.listings.rules import ShiftState
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.rules import State as PlaceState
from shared.errors import Conflict, NotAllowed, Title
from shared.working_days import PLAIN, Calendar, day_of, end_of

DUE_DAYS: Final = 10  # Working days after the shift's end, unless the terms say otherwise.
MOST_AT_ONCE: Final = 200
MOST_PIECES: Final = 10_000


class State(StrEnum):
    """Where a kit is."""

    ISSUED = "issued"  # It is to be sent; the person says where to.
    SHIPPED = "shipped"
    RECEIVED = "received"
    RETURNED = "returned"
    OVERDUE = "overdue"  # Due back, and not there.
    LOST = "lost"  # Somebody, or the calendar, has given it up; it may be found.
    CANCELLED = "cancelled"  # It was never sent.


class Command(StrEnum):
    """What can be done with a kit."""

    SHIP = "ship"
    RECEIVE = "receive"
    RETURN = "return"
    FALL_DUE = "fall_due"
    LOSE = "lose"
    CANCEL = "cancel"


class Cancelled(StrEnum):
    """Why a kit was never sent."""

    PLACE_GONE = "place_gone"  # The person gave the place back, or the shift does not happen.
    NOT_SHIPPED = "not_shipped"  # It would be due back by now.
    BY_HOST = "by_host"  # The partner takes it back.


class KitStateDiffers(Conflict):
    """In its state, this cannot be done with the kit; `state` and `command` say what."""

    code = "kit_state_differs"
    title = Title(zh="该物料包的当前状态不允许此操作", en="The state of this kit does not allow it")


class NoKitTerms(Conflict):
    """The activity was published without a kit: nothing is agreed of what is sent, and at what cost."""

    code = "no_kit_terms"
    title = Title(zh="该活动没有约定物料包", en="No kit is agreed for this activity")


class ShiftUndecided(Conflict):
    """Kits go out once it is decided that the shift happens; `state` says where it stands."""

    code = "kit_before_go"
    title = Title(zh="该场次尚未确定成行，不能发放物料包", en="Decide that the shift happens before kits go out")


class KitsBlocked(Conflict):
    """The person has a kit that is overdue, or lost and not cleared; `kit_id` names it."""

    code = "kits_blocked"
    title = Title(zh="有逾期未还或遗失的物料包，暂不能领取新的", en="A kit is overdue or lost; no other one is issued")


class NoKitAddress(Conflict):
    """There is nowhere to send it to: the person has given no address, or no longer consents to its use."""

    code = "no_kit_address"
    title = Title(zh="没有可用的收件地址", en="There is no address to send this kit to")


class AddressConsentNeeded(Conflict):
    """An address is kept for those who consent to that, having read how it is used (`kit_address`)."""

    code = "kit_address_consent_needed"
    title = Title(zh="请先同意收件地址的使用说明", en="Consent to how your address is used first")


class OwnKit(NotAllowed):
    """Somebody who is a partner's member and a volunteer as well would issue a kit to themself, or clear one."""

    code = "own_kit"
    title = Title(zh="不能处理本人的物料包", en="Somebody else has to do this for your own kit")


_S, _C = State, Command
TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (_S.ISSUED, _C.SHIP): _S.SHIPPED,
    (_S.ISSUED, _C.CANCEL): _S.CANCELLED,
    (_S.SHIPPED, _C.RECEIVE): _S.RECEIVED,
    (_S.SHIPPED, _C.RETURN): _S.RETURNED,  # Nobody had said that it arrived.
    (_S.SHIPPED, _C.FALL_DUE): _S.OVERDUE,
    (_S.RECEIVED, _C.RETURN): _S.RETURNED,
    (_S.RECEIVED, _C.FALL_DUE): _S.OVERDUE,
    (_S.OVERDUE, _C.RETURN): _S.RETURNED,
    (_S.OVERDUE, _C.LOSE): _S.LOST,
    (_S.LOST, _C.RETURN): _S.RETURNED,  # It was found.
}
SENT: Final = frozenset({State.SHIPPED, State.RECEIVED})  # With the person, and in time.
BLOCKING: Final = frozenset({State.OVERDUE, State.LOST})  # Unless an operator has cleared it.
ADDRESSED: Final = frozenset({State.ISSUED, State.SHIPPED})  # While its partner may read where it goes.
HAPPENS: Final = frozenset({ShiftState.GO, ShiftState.RUNNING})


def next_state(state: str, command: Command) -> State:
    """Return what a command makes of a kit. Raises KitStateDiffers."""
    following = TRANSITIONS.get((State(state), command))
    if following is None:
        raise KitStateDiffers(state=state, command=command.value)
    return following


def due_at(ends_at: datetime, zone: ZoneInfo, *, days: int = DUE_DAYS, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, a kit of a shift is due back: `days` working days after its last local day."""
    return end_of(calendar.after(day_of(ends_at, zone), days), zone)


def require_happening(state: str) -> None:
    """Refuse to send anything before it is decided that a shift happens. Raises ShiftUndecided."""
    if state not in HAPPENS:
        raise ShiftUndecided(state=state)


def require_confirmed(place: str | None) -> None:
    """Refuse a kit for somebody without a place, as it is now. Raises NotSignedUp."""
    if place != PlaceState.CONFIRMED:
        raise NotSignedUp


def require_state(state: str, *allowed: State, command: str) -> None:
    """Refuse what is done in some states alone and changes none. Raises KitStateDiffers."""
    if state not in allowed:
        raise KitStateDiffers(state=state, command=command)


def require_address(*, is_there: bool) -> None:
    """Refuse to send a kit to nowhere. Raises NoKitAddress."""
    if not is_there:
        raise NoKitAddress


def require_consent(*, holds: bool) -> None:
    """Refuse an address of somebody who has not consented to its use. Raises AddressConsentNeeded."""
    if not holds:
        raise AddressConsentNeeded


def require_another(by: UUID, *, volunteer_id: UUID) -> None:
    """Refuse to decide about a kit of one's own. Raises OwnKit."""
    if by == volunteer_id:
        raise OwnKit


def require_unblocked(kit_id: UUID | None) -> None:
    """Refuse another kit to somebody who has one that keeps them from it. Raises KitsBlocked."""
    if kit_id is not None:
        raise KitsBlocked(kit_id=kit_id)
