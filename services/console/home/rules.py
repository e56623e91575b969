"""What each role finds on its first page, and which shifts a volunteer is offered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

MOST_SHIFTS = 12
OFF = frozenset({"no_go", "not_run", "cancelled"})  # A shift that does not happen, by whatever decision.
PAYABLE = "2110"  # The ledger's account of what partners are owed; credits are negative.


class Section(StrEnum):
    """A part of the first page; each shows one thing that an API tells."""

    SHIFTS = "shifts"
    SCREENS = "screens"
    BALANCE = "balance"
    SUMMARY = "summary"
    WATERFALL = "waterfall"
    ATTENDANCES = "attendances"
    POLICIES = "policies"
    TRIAL_BALANCE = "trial_balance"
    FLOW = "flow"
    IMPORTS = "imports"
    AUDIT = "audit"


SECTIONS_OF: dict[str, tuple[Section, ...]] = {
    "volunteer": (Section.SHIFTS,),
    "partner": (Section.SCREENS, Section.BALANCE, Section.WATERFALL),
    "operator": (Section.SUMMARY, Section.WATERFALL, Section.ATTENDANCES, Section.IMPORTS),
    "reviewer": (Section.SUMMARY, Section.ATTENDANCES),
    "finance": (Section.WATERFALL, Section.POLICIES, Section.TRIAL_BALANCE),
    "finance_approver": (Section.POLICIES, Section.WATERFALL),
    "funder": (Section.SUMMARY, Section.WATERFALL),
    "auditor": (Section.TRIAL_BALANCE, Section.AUDIT, Section.POLICIES, Section.WATERFALL),
    "ops": (Section.FLOW,),
    "admin": (Section.FLOW, Section.AUDIT),
}


@dataclass(frozen=True, slots=True)
class Shift:
    """One occasion of a listing."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    state: Literal["open", "go", "no_go", "running", "held", "not_run", "cancelled"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A published activity with its shifts."""

    reference: str
    title: str
    timezone: str
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Occasion:
    """A shift with the activity that it belongs to."""

    shift: Shift
    listing: Listing


class Offer(StrEnum):
    """What a volunteer can do about a shift."""

    SIGN_UP = "sign_up"
    HAS_PLACE = "has_place"
    FULL = "full"
    BEGUN = "begun"


def sections_of(roles: Iterable[str]) -> list[Section]:
    """Return what somebody with these roles finds, each part once, in the order of the roles of a programme."""
    held = set(roles)
    return list(dict.fromkeys(part for role, parts in SECTIONS_OF.items() if role in held for part in parts))


def coming(listings: Iterable[Listing], *, now: datetime, most: int = MOST_SHIFTS) -> list[Occasion]:
    """Return the next shifts that are not over, soonest first."""
    found = [
        Occasion(shift, listing)
        for listing in listings
        for shift in listing.shifts
        if shift.ends_at > now and shift.state not in OFF
    ]
    return sorted(found, key=lambda occasion: (occasion.shift.starts_at, str(occasion.shift.id)))[:most]


def offer_of(shift: Shift, *, has_place: bool, now: datetime) -> Offer:
    """Choose what a volunteer is offered; the API decides again when it is taken up."""
    if has_place:
        return Offer.HAS_PLACE
    if shift.starts_at <= now:
        return Offer.BEGUN
    return Offer.FULL if shift.taken >= shift.capacity else Offer.SIGN_UP


def owed(balances: Sequence[tuple[str, int]]) -> int:
    """Add up, in fen, what a partner is owed, from balances by account."""
    return -sum(fen for account, fen in balances if account == PAYABLE)
