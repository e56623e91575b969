"""Deciding whether shifts happen, moving them, calling them off; what follows for those who signed up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.draws.actions import require_after_draw
from services.activities.listings.queries import get_shift, lock_listing, lock_shift, lock_shifts_of
from services.activities.listings.rules import (
    AHEAD,
    ListingState,
    ShiftCommand,
    ShiftState,
    Times,
    next_state,
    service_date,
)
from services.activities.listings.tables import Listing, Shift
from services.activities.schedules import queries, rules
from services.activities.sign_ups.actions import Move, cap_offers, move, offer_free
from services.activities.sign_ups.rules import Command, State
from services.activities.volunteers.queries import lock_volunteers
from shared import bus
from shared.events.activities_shifts import (
    ListingCancelled,
    ListingClosed,
    NotRun,
    ShiftCancelled,
    ShiftDecisionDue,
    ShiftFellShort,
    ShiftGo,
    ShiftNoGo,
    ShiftNotRun,
    ShiftRescheduled,
)
from shared.seen import Seen
from shared.zones import zone

MOST_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Decision:
    """A host or an operator decides about a shift, or an activity; `partner_id` limits it to that partner's."""

    programme_id: UUID
    thing_id: UUID
    partner_id: UUID | None
    seen: Seen
    at: datetime


def decide_go(tx: Session, decision: Decision) -> Shift:
    """Decide that a shift happens, with however many people; again changes nothing.

    Raises NotFound, ChangedSince, ShiftStarted, ShiftHasAttendance, ShiftCancelled.
    """
    shift = _lock(tx, decision)
    if shift.state == ShiftState.GO:
        return shift
    following = next_state(shift.state, ShiftCommand.DECIDE_GO)
    rules.require_before_start(shift.starts_at, now=decision.at)
    shift.state = following
    bus.emit(tx, ShiftGo(**_fact(shift), **_counts(shift), at=decision.at))
    return shift


def decide_no_go(tx: Session, decision: Decision, *, because: str) -> Shift:
    """Decide that a shift does not happen; its sign-ups are cancelled. Again changes nothing.

    Raises NotFound, ChangedSince, ShiftStarted, ShiftHasAttendance, ShiftCancelled.
    """
    shift = _lock(tx, decision)
    if shift.state == ShiftState.NO_GO:
        return shift
    following = next_state(shift.state, ShiftCommand.DECIDE_NO_GO)
    rules.require_before_start(shift.starts_at, now=decision.at)
    shift.state, shift.cancelled_because = following, because
    _revise(shift, at=decision.at)
    bus.emit(tx, ShiftNoGo(**_fact(shift), **_counts(shift), at=decision.at))
    return _release(tx, shift, now=decision.at)


def cancel(tx: Session, decision: Decision, *, because: str) -> Shift:
    """Call a shift off before its start; its sign-ups are cancelled. Again changes nothing.

    Raises NotFound, ChangedSince, ShiftStarted, ShiftHasAttendance, ShiftCancelled.
    """
    shift = _lock(tx, decision)
    if shift.state == ShiftState.CANCELLED:
        return shift
    next_state(shift.state, ShiftCommand.CANCEL)
    rules.require_before_start(shift.starts_at, now=decision.at)
    return _call_off(tx, [shift], because=because, now=decision.at)[0]


def record_not_run(tx: Session, decision: Decision, *, code: NotRun, because: str) -> Shift:
    """Note that a shift whose time has come did not happen; nobody has missed it. Again changes nothing.

    Raises NotFound, ChangedSince, ShiftNotStarted, ShiftHasAttendance, ShiftCancelled.
    """
    shift = _lock(tx, decision)
    if shift.state == ShiftState.NOT_RUN:
        return shift
    following = next_state(shift.state, ShiftCommand.RECORD_NOT_RUN)
    rules.require_started(shift.starts_at, now=decision.at)
    shift.state, shift.not_run, shift.cancelled_because = following, code, because
    _revise(shift, at=decision.at)
    bus.emit(tx, ShiftNotRun(**_fact(shift), because=code, at=decision.at))
    return _release(tx, shift, now=decision.at, also=[State.MISSED])


def reschedule(tx: Session, decision: Decision, times: Times) -> Shift:
    """Move a shift before anybody has come; who has signed up may withdraw freely, and offers end with its new start.

    The people are locked before the shift, as always, so that nobody takes a place elsewhere at that time unseen.
    Raises NotFound, ChangedSince, ShiftStarted, ShiftHasAttendance, ShiftCancelled, BadShift.
    """
    found, listing = get_shift(
        tx, programme_id=decision.programme_id, shift_id=decision.thing_id, partner_id=decision.partner_id
    )
    lock_volunteers(tx, queries.list_people(tx, found.id))
    shift = _lock(tx, decision)
    was = Times(shift.starts_at, shift.ends_at)
    following = next_state(shift.state, ShiftCommand.RESCHEDULE)
    rules.require_new_times(times, was=was, now=decision.at)
    require_after_draw(tx, shift, starts_at=times.starts_at, now=decision.at)
    shift.state, shift.starts_at, shift.ends_at = following, times.starts_at, times.ends_at
    shift.service_on = service_date(times.starts_at, zone(listing.timezone))
    shift.rescheduled_at, shift.short_at, shift.decision_asked_at = decision.at, None, None
    _revise(shift, at=decision.at)
    tx.flush()
    overlapping = tuple(queries.list_overlapping(tx, shift))
    cap_offers(tx, shift.id, until=times.starts_at)
    offer_free(tx, [shift.id], now=decision.at)  # Where it had come too near to keep a place for anybody.
    tx.refresh(shift)
    moved = {"was_starts_at": was.starts_at, "was_ends_at": was.ends_at, "overlapping": overlapping}
    bus.emit(tx, ShiftRescheduled(**_fact(shift), **moved, at=decision.at))
    return shift


def close_listing(tx: Session, decision: Decision) -> Listing:
    """Let nobody new sign up for an activity's shifts; again changes nothing.

    Raises NotFound, ChangedSince, ListingEnded.
    """
    listing = _lock_listing(tx, decision)
    if listing.state == ListingState.CLOSED:
        return listing
    rules.require_published(listing.state)
    listing.state, listing.ended_at = ListingState.CLOSED, decision.at
    for shift in lock_shifts_of(tx, listing.id):
        shift.closed_at = decision.at
    bus.emit(tx, ListingClosed(**_fact_of_listing(listing), at=decision.at))
    return listing


def cancel_listing(tx: Session, decision: Decision, *, because: str) -> Listing:
    """Call off what of an activity has not begun, and let nobody new sign up; again changes nothing.

    Raises NotFound, ChangedSince.
    """
    listing = _lock_listing(tx, decision)
    if listing.state == ListingState.CANCELLED:
        return listing
    listing.state, listing.ended_at, listing.cancelled_because = ListingState.CANCELLED, decision.at, because
    shifts = lock_shifts_of(tx, listing.id)
    for shift in shifts:
        shift.closed_at = shift.closed_at or decision.at
    ahead = [shift for shift in shifts if shift.state in AHEAD and shift.starts_at > decision.at]
    bus.emit(tx, ListingCancelled(**_fact_of_listing(listing), at=decision.at))
    _call_off(tx, ahead, because=because, now=decision.at)
    return listing


def tell_short(tx: Session, *, now: datetime) -> int:
    """Tell of shifts that begin within three days that people are missing, once each; return how many."""
    shifts = queries.lock_short(tx, now=now, until=now + rules.SHORT_WITHIN, limit=MOST_AT_ONCE)
    for shift in shifts:
        shift.short_at = now
    bus.emit_all(tx, [ShiftFellShort(**_fact(shift), **_counts(shift), at=now) for shift in shifts])
    return len(shifts)


def ask_for_decisions(tx: Session, *, now: datetime) -> int:
    """Ask whether shifts happen that begin within two days, once each; return how many."""
    shifts = queries.lock_undecided(tx, now=now, until=now + rules.DECIDE_WITHIN, limit=MOST_AT_ONCE)
    for shift in shifts:
        shift.decision_asked_at = now
    bus.emit_all(tx, [ShiftDecisionDue(**_fact(shift), **_counts(shift), at=now) for shift in shifts])
    return len(shifts)


def _lock(tx: Session, decision: Decision) -> Shift:
    shift = lock_shift(
        tx, programme_id=decision.programme_id, shift_id=decision.thing_id, partner_id=decision.partner_id
    )
    decision.seen.require(shift)
    return shift


def _lock_listing(tx: Session, decision: Decision) -> Listing:
    listing = lock_listing(
        tx, programme_id=decision.programme_id, listing_id=decision.thing_id, partner_id=decision.partner_id
    )
    decision.seen.require(listing)
    return listing


def _call_off(tx: Session, shifts: Sequence[Shift], *, because: str, now: datetime) -> Sequence[Shift]:
    for shift in shifts:
        shift.state, shift.cancelled_because = ShiftState.CANCELLED, because
        _revise(shift, at=now)
    bus.emit_all(tx, [ShiftCancelled(**_fact(shift), at=now) for shift in shifts])
    _cancel_sign_ups(tx, shifts, now=now)
    return shifts


def _revise(shift: Shift, *, at: datetime) -> None:
    """Count a change that calendars are to hear of."""
    shift.revision, shift.revised_at = shift.revision + 1, at


def _release(tx: Session, shift: Shift, *, now: datetime, also: Collection[State] = ()) -> Shift:
    _cancel_sign_ups(tx, [shift], now=now, also=also)
    return shift


def _cancel_sign_ups(
    tx: Session, shifts: Sequence[Shift], *, now: datetime, also: Collection[State] = ()
) -> None:  # fmt: skip
    tx.flush()  # A place that comes free must find its shift called off, or it would be offered.
    move(tx, Move(Command.CANCEL, now), queries.list_pending(tx, [shift.id for shift in shifts], also=also))
    for shift in shifts:
        tx.refresh(shift)


def _fact(shift: Shift) -> dict[str, Any]:
    return {
        "programme_id": shift.programme_id,
        "shift_id": shift.id,
        "listing_id": shift.listing_id,
        "partner_id": shift.partner_id,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
    }


def _counts(shift: Shift) -> dict[str, int]:
    return {"minimum": shift.minimum, "taken": shift.taken, "capacity": shift.capacity}


def _fact_of_listing(listing: Listing) -> dict[str, Any]:
    return {"programme_id": listing.programme_id, "listing_id": listing.id, "partner_id": listing.partner_id}
