"""Taking a place and giving it back. The person's lock comes first, then the shift's."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.listings.queries import lock_shift
from services.activities.listings.rules import require_not_cancelled, require_sign_ups
from services.activities.listings.tables import Shift
from services.activities.places import queries, rules
from services.activities.sign_ups.actions import Move, enter, move
from services.activities.sign_ups.queries import find_sign_up
from services.activities.sign_ups.rules import Command, State
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import lock_volunteer
from shared.seen import Seen


@dataclass(frozen=True, slots=True)
class Own:
    """Somebody does something about their own sign-up."""

    programme_id: UUID
    sign_up_id: UUID
    volunteer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """A host or an operator decides about somebody's sign-up; `partner_id` limits it to that partner's shifts."""

    programme_id: UUID
    sign_up_id: UUID
    partner_id: UUID | None
    seen: Seen
    reason: str
    at: datetime


def sign_up(tx: Session, *, programme_id: UUID, shift_id: UUID, volunteer_id: UUID, now: datetime) -> SignUp:
    """Take a place on a shift, or one in the line when it is full; again changes nothing.

    Who stands in the line gets a place that has come free shortly before the start and is kept for nobody.
    Raises NotFound, ShiftCancelled, ShiftClosed, ShiftOver, ShiftFull, SignUpClosed, OverlappingShift.
    """
    lock_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
    # Locked before counting: two for the last place must not both see it free.
    shift = lock_shift(tx, programme_id=programme_id, shift_id=shift_id)
    known = find_sign_up(tx, shift_id=shift_id, volunteer_id=volunteer_id)
    room = rules.Room(shift.starts_at, shift.ends_at, shift.capacity, shift.taken, shift.awaits_draw)
    if known is None:
        _require_open(tx, shift, volunteer_id)
        return enter(tx, shift, volunteer_id=volunteer_id, state=rules.entry(room, now=now), now=now)
    command = rules.entry_again(room, state=known.state, now=now)
    if command is None:
        return known
    _require_open(tx, shift, volunteer_id)
    return _move(tx, known, Move(command, now))


def accept(tx: Session, own: Own) -> SignUp:
    """Take the place that is kept; again changes nothing.

    Raises NotFound, NoOffer, OfferOver, ShiftCancelled, OverlappingShift.
    """
    place, shift = _lock(tx, own)
    if place.state == State.CONFIRMED:
        return place
    rules.require_offered(place.state, expires_at=place.offer_expires_at, now=own.at)
    require_not_cancelled(shift.state)
    other = queries.overlap(tx, volunteer_id=own.volunteer_id, shift=shift, states=(State.CONFIRMED,))
    rules.require_no_overlap(other)
    return _move(tx, place, Move(Command.ACCEPT, own.at))


def decline(tx: Session, own: Own) -> SignUp:
    """Leave the place that is kept to the next in the line; again changes nothing.

    Raises NotFound, NoOffer, OfferOver.
    """
    place, _ = _lock(tx, own)
    if place.state == State.WITHDRAWN:
        return place
    rules.require_offered(place.state, expires_at=place.offer_expires_at, now=own.at)
    return _move(tx, place, Move(Command.WITHDRAW, own.at))


def withdraw(tx: Session, own: Own, *, because: str) -> SignUp:
    """Give a place back, or leave the line; again changes nothing. Raises NotFound, ShiftNear, SignUpClosed."""
    place, shift = _lock(tx, own)
    if place.state in {State.WITHDRAWN, State.LATE_WITHDRAWN}:
        return place
    moved_since = shift.rescheduled_at is not None and shift.rescheduled_at > place.signed_up_at
    command = rules.withdrawal(place.state, starts_at=shift.starts_at, is_free=moved_since, now=own.at)
    return _move(tx, place, Move(command, own.at, because))


def excuse(tx: Session, decision: Decision) -> SignUp:
    """Accept, for a reason, that somebody cannot come, or could not; nothing is taken, so the person is not locked.

    Raises NotFound, ChangedSince, SignUpClosed, ShiftNear.
    """
    place = queries.get_sign_up(
        tx, programme_id=decision.programme_id, sign_up_id=decision.sign_up_id, partner_id=decision.partner_id
    )
    shift = queries.lock_with_shift(tx, place)
    decision.seen.require(place)
    rules.require_excusable(place.state, starts_at=shift.starts_at, now=decision.at)
    return _move(tx, place, Move(Command.EXCUSE, decision.at, decision.reason))


def _require_open(tx: Session, shift: Shift, volunteer_id: UUID) -> None:
    require_sign_ups(shift.state, closed_at=shift.closed_at)
    rules.require_no_overlap(queries.overlap(tx, volunteer_id=volunteer_id, shift=shift))


def _lock(tx: Session, own: Own) -> tuple[SignUp, Shift]:
    lock_volunteer(tx, programme_id=own.programme_id, volunteer_id=own.volunteer_id)
    place = queries.get_sign_up(
        tx, programme_id=own.programme_id, sign_up_id=own.sign_up_id, volunteer_id=own.volunteer_id
    )
    return place, queries.lock_with_shift(tx, place)


def _move(tx: Session, place: SignUp, step: Move) -> SignUp:
    move(tx, step, [place.id])
    tx.refresh(place)
    return place
