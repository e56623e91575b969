"""Taking a place and giving it back. The person's lock comes first, then the shift's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.activities.listings.queries import lock_shifts_by_id, lock_shifts_soon
from services.activities.listings.rules import require_not_cancelled, require_sign_ups
from services.activities.listings.tables import Shift
from services.activities.places import queries, rules
from services.activities.places.queries import Ground
from services.activities.sign_ups.actions import TELLS, Move, move
from services.activities.sign_ups.rules import TAKING, Command, State, target
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import hold_people, lock_volunteer, require_present
from shared import bus
from shared.audit import Change, note
from shared.database.packed import instants, texts, uuids
from shared.errors import NotFound, Refusal
from shared.ids import new_ids
from shared.seen import Seen

_ENTER = text("""
    WITH entered AS (
        INSERT INTO sign_up (id, programme_id, shift_id, volunteer_id, source, signed_up_at, state)
        SELECT e.id, shift.programme_id, e.shift_id, e.volunteer_id, 'self', e.signed_up_at, e.state
        FROM unnest(CAST(:ids AS uuid[]), CAST(:shifts AS uuid[]), CAST(:volunteers AS uuid[]),
                    CAST(:instants AS timestamptz[]), CAST(:states AS text[]))
            AS e(id, shift_id, volunteer_id, signed_up_at, state) JOIN shift ON shift.id = e.shift_id
        RETURNING *),
    counted AS (
        UPDATE shift SET taken = taken + places
        FROM (SELECT shift_id, count(*) AS places FROM entered WHERE state = ANY(CAST(:taking AS text[]))
              GROUP BY shift_id) AS change
        WHERE shift.id = change.shift_id)
    TABLE entered
""").columns(**{column.name: column.type for column in SignUp.__table__.columns})  # By name.
_ENTRIES = select(SignUp).from_statement(_ENTER)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asks for a place on a shift."""

    programme_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody's first sign-up for a shift, and what it comes to."""

    shift: Shift
    volunteer_id: UUID
    state: State
    at: datetime


Outcome = SignUp | Refusal
Moving = tuple[SignUp, Move]
Step = Entry | Moving | SignUp | Refusal  # What is written, or how it stands already, or why nothing is.


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


def hold(tx: Session, wishes: Sequence[Wish], *, wait: bool) -> list[bool]:
    """Lock people, then the shifts that they ask for; without time to wait only what is free, or soon is."""
    are_held = hold_people(tx, wishes, wait=wait)
    wanted = {wish.shift_id for wish, is_held in zip(wishes, are_held, strict=True) if is_held}
    if wait:
        lock_shifts_by_id(tx, wanted)
        return are_held
    free = lock_shifts_soon(tx, wanted)
    return [is_held and wish.shift_id in free for wish, is_held in zip(wishes, are_held, strict=True)]


def sign_up_many(tx: Session, wishes: Sequence[Wish]) -> list[Outcome]:
    """Give people, each another one, a place or one in the line when a shift is full; for each that, or why not.

    They and the shifts are held. Who asked first comes first, however their calls came through. Again changes nothing.
    Who stands in the line gets a place that has come free shortly before the start and is kept for nobody. What may be
    refused: NotFound, ShiftCancelled, ShiftClosed, ShiftOver, ShiftFull, SignUpClosed, OverlappingShift.
    """
    grounds = queries.find_grounds(tx, [(wish.shift_id, wish.volunteer_id) for wish in wishes])
    given: Counter[UUID] = Counter()
    steps = {wish: _step(wish, grounds.get((wish.shift_id, wish.volunteer_id)), given) for wish in _in_turn(wishes)}
    entered = enter(tx, [step for step in steps.values() if isinstance(step, Entry)])
    moved = [_move(tx, *step) for step in steps.values() if isinstance(step, tuple)]
    written = {place.volunteer_id: place for place in (*entered, *moved)}
    return [_outcome(steps[wish], written.get(wish.volunteer_id)) for wish in wishes]


def accept(tx: Session, own: Own) -> SignUp:
    """Take the place that is kept; again changes nothing.

    Raises NotFound, NoOffer, OfferOver, ShiftCancelled, OverlappingShift.
    """
    place, shift = _lock(tx, own)
    if place.state == State.CONFIRMED:
        return place
    rules.require_offered(place.state, expires_at=place.offer_expires_at, now=own.at)
    require_not_cancelled(shift.state)
    other = queries.overlap(tx, volunteer_id=own.volunteer_id, shift=shift)
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


def enter(tx: Session, entries: Sequence[Entry]) -> list[SignUp]:
    """Write down first sign-ups, each of another person, with a place or one in the line, and tell them, in order.

    People and shifts are locked; whoever has counted the places has counted these.
    """
    if not entries:
        return []
    ids = new_ids(len(entries))
    placed = {place.id: place for place in tx.scalars(_ENTRIES, _entry_columns(ids, entries))}
    _note_entries(tx, ids, entries)
    facts = [TELLS[each.state](**_fact(i, each), at=each.at) for i, each in zip(ids, entries, strict=True)]
    bus.emit_all(tx, facts, of=[each.volunteer_id for each in entries])
    return [placed[i] for i in ids]


def _entry_columns(ids: Sequence[UUID], entries: Sequence[Entry]) -> dict[str, object]:
    return {
        "ids": uuids(ids),
        "shifts": uuids(each.shift.id for each in entries),
        "volunteers": uuids(each.volunteer_id for each in entries),
        "instants": instants([each.at for each in entries]),
        "states": texts(each.state for each in entries),
        "taking": texts(sorted(TAKING)),
    }


def _note_entries(tx: Session, ids: Sequence[UUID], entries: Sequence[Entry]) -> None:
    """Say what was added, and what that has taken of the shifts."""
    new = zip(ids, entries, strict=True)
    added = (Change(i, None, _entered_values(each), of=each.volunteer_id) for i, each in new)
    note(tx, "sign_up", added, added=len(entries))
    taking = [each for each in entries if each.state in TAKING]
    counted = Counter(each.shift.id for each in taking)
    first = {each.shift.id: each for each in reversed(taking)}
    shifts = (_taken(each, counted[shift_id]) for shift_id, each in first.items())
    note(tx, "shift", shifts, changed=len(first))


def _taken(first: Entry, places: int) -> Change:
    """Say how many places a shift has given, in the trail of the first who got one."""
    before, after = {"taken": first.shift.taken}, {"taken": first.shift.taken + places}
    return Change(first.shift.id, before, after, of=first.volunteer_id)


def _entered_values(entry: Entry) -> dict[str, object]:
    return {
        "programme_id": entry.shift.programme_id, "shift_id": entry.shift.id, "volunteer_id": entry.volunteer_id,
        "source": "self", "signed_up_at": entry.at, "state": entry.state,
    }  # fmt: skip


def _fact(sign_up_id: UUID, entry: Entry) -> dict[str, object]:
    shift = entry.shift
    return {
        "programme_id": shift.programme_id, "sign_up_id": sign_up_id, "shift_id": shift.id,
        "listing_id": shift.listing_id, "partner_id": shift.partner_id, "volunteer_id": entry.volunteer_id,
        "starts_at": shift.starts_at, "ends_at": shift.ends_at,
    }  # fmt: skip


def _in_turn(wishes: Sequence[Wish]) -> list[Wish]:
    return sorted(wishes, key=attrgetter("at"))


def _step(wish: Wish, ground: Ground | None, given: Counter[UUID]) -> Step:
    """Say what a wish comes to, places that were `given` just now counted; a refusal is its own, and nobody else's."""
    try:
        if ground is None or ground.shift.programme_id != wish.programme_id:
            raise NotFound(shift_id=wish.shift_id)
        require_present(ground.person, wish.volunteer_id)
        step = _first(wish, ground, given) if ground.place is None else _again(wish, ground, ground.place, given)
    except Refusal as refusal:
        return refusal
    given[wish.shift_id] += _takes(step)
    return step


def _first(wish: Wish, ground: Ground, given: Counter[UUID]) -> Entry:
    _require_open(ground)
    return Entry(ground.shift, wish.volunteer_id, rules.entry(_room(ground.shift, given), now=wish.at), wish.at)


def _again(wish: Wish, ground: Ground, known: SignUp, given: Counter[UUID]) -> SignUp | Moving:
    command = rules.entry_again(_room(ground.shift, given), state=known.state, now=wish.at)
    if command is None:
        return known
    _require_open(ground)
    return known, Move(command, wish.at)


def _takes(step: Entry | SignUp | Moving) -> bool:
    """Say whether a step gives a place that was free."""
    if isinstance(step, Entry):
        return step.state in TAKING
    return isinstance(step, tuple) and target(step[1].command) in TAKING


def _room(shift: Shift, given: Counter[UUID]) -> rules.Room:
    taken = shift.taken + given[shift.id]
    return rules.Room(shift.starts_at, shift.ends_at, shift.capacity, taken, shift.awaits_draw)


def _require_open(ground: Ground) -> None:
    require_sign_ups(ground.shift.state, closed_at=ground.shift.closed_at)
    rules.require_no_overlap(ground.elsewhere)


def _outcome(step: Step, place: SignUp | None) -> Outcome:
    """Return what was written for a wish, what there was before, or why there is nothing."""
    if isinstance(step, Refusal | SignUp):
        return step
    assert place is not None  # noqa: S101  Each step that is no refusal was written.
    return place


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
