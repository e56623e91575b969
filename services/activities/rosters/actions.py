"""What a partner records of who was there: people with a place, walk-ins, guests.

Whoever changes somebody's attendance holds that person's lock, then the shift's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle
from services.activities.attendance.rules import Command, allows, require_on_shift, require_times
from services.activities.check_ins.rules import NotCheckedIn, require_in_window
from services.activities.closings.rules import claim_until
from services.activities.incidents import actions as incidents
from services.activities.incidents import rules as incident_rules
from services.activities.incidents.tables import Incident
from services.activities.listings.actions import start_shifts
from services.activities.listings.queries import ShiftOfListing, get_shift, lock_shifts_by_id
from services.activities.listings.rules import require_not_cancelled
from services.activities.rosters import queries, rules
from services.activities.rosters.queries import Expected
from services.activities.rosters.rules import State, Way
from services.activities.rosters.tables import GuestCount, WalkIn
from services.activities.sign_ups.actions import Move, add_places, move
from services.activities.sign_ups.queries import find_sign_up
from services.activities.sign_ups.rules import PLACED, NotSignedUp, next_state
from services.activities.volunteers.queries import find_by_number, lock_volunteer, lock_volunteers
from shared.audit import Change, note
from shared.auth.scopes import Scope
from shared.errors import Refusal
from shared.events.activities import EvidenceClass
from shared.events.activities_incidents import IncidentKind, IncidentSubject
from shared.ids import new_id
from shared.zones import zone

_HAND_OVER = text("""
    UPDATE walk_in w SET volunteer_id = :kept_id WHERE volunteer_id = :merged_id AND recorded_by <> :kept_id
        AND NOT EXISTS (SELECT 1 FROM walk_in k WHERE k.volunteer_id = :kept_id AND k.shift_id = w.shift_id)
    RETURNING id
""")
BY_ROSTER = "attested by the partner's roster"
BY_WALK_IN = "walked in: recorded by the partner, confirmed by the volunteer"

Outcome = str | Refusal  # The state of the attendance, or why it is not what was said.


@dataclass(frozen=True, slots=True)
class Host:
    """A partner's member on one of its shifts, and when."""

    programme_id: UUID
    partner_id: UUID | None
    person_id: UUID
    shift_id: UUID
    at: datetime


def attest(tx: Session, host: Host, *, way: Way, volunteer_ids: Collection[UUID]) -> dict[UUID, Outcome]:
    """Record, now, that people with a place came or left, as the partner sees them; again changes nothing.

    Who leaves is settled, attested. For each there may be NotSignedUp or, of who leaves, NotCheckedIn.
    Raises NotFound, ShiftCancelled, CheckInClosed, CheckOutClosed.
    """
    lock_volunteers(tx, volunteer_ids)
    on = _lock_shift(tx, host)
    shift = on.shift
    require_in_window(starts_at=shift.starts_at, ends_at=shift.ends_at, now=host.at, leaving=way is Way.OUT)
    expected = queries.find_expected(tx, shift_id=shift.id, volunteer_ids=volunteer_ids)
    (_let_in if way is Way.IN else _let_out)(tx, host, on, expected)
    return {who: _outcome(host, way, expected.get(who)) for who in volunteer_ids}


def count_guests(tx: Session, host: Host, *, guests: int) -> GuestCount:
    """Note how many people were there who are no volunteers; the last count holds. Raises NotFound, ShiftCancelled."""
    on = _lock_shift(tx, host)
    known = queries.find_guests(tx, shift_id=on.shift.id)
    values = {"guests": guests, "counted_by": host.person_id, "counted_at": host.at}
    rows = insert(GuestCount).values(shift_id=on.shift.id, **values)
    rows = rows.on_conflict_do_update(index_elements=["shift_id"], set_=values)
    before = None if known is None else {"guests": known.guests}
    tx.execute(rows)
    note(tx, "guest_count", [Change(on.shift.id, before, {"guests": guests})], counted=1)
    return tx.get_one(GuestCount, on.shift.id, populate_existing=True)


def record_walk_in(tx: Session, host: Host, *, number: str, came: datetime, left: datetime) -> WalkIn:
    """Record an employee, by number, who was there without a place; the same again changes nothing.

    Raises NotFound, UnknownEmployee, ShiftCancelled, HasPlace, WalkInExists, WalkInTooLate, OwnWalkIn, BadTimes,
    InTheFuture.
    """
    _own_shift(tx, host)  # Before a word about anybody: whose shift it is not learns of no number.
    known = find_by_number(tx, programme_id=host.programme_id, numbers=[number]).get(number)
    if known is None:
        raise rules.UnknownEmployee(field="employee_number")
    lock_volunteer(tx, programme_id=host.programme_id, volunteer_id=known.id)
    on = _lock_shift(tx, host)
    rules.require_another(known.id, host.person_id)
    recorded = queries.find_walk_in(tx, shift_id=on.shift.id, volunteer_id=known.id)
    if recorded is not None:
        rules.require_same(is_same=(recorded.checked_in_at, recorded.checked_out_at) == (came, left))
        return recorded
    rules.require_before(_until(on), now=host.at)
    require_times(came, left, now=host.at)
    require_on_shift(came, left, starts_at=on.shift.starts_at, ends_at=on.shift.ends_at)
    place = find_sign_up(tx, shift_id=on.shift.id, volunteer_id=known.id)
    rules.require_no_place(has_place=place is not None and place.state in PLACED)
    walk_in = WalkIn(
        id=new_id(), programme_id=host.programme_id, shift_id=on.shift.id, partner_id=on.shift.partner_id,
        volunteer_id=known.id, checked_in_at=came, checked_out_at=left, state=State.RECORDED,
        recorded_by=host.person_id, recorded_at=host.at,
    )  # fmt: skip
    tx.add(walk_in)
    return walk_in


def answer_walk_in(tx: Session, scope: Scope, *, walk_in_id: UUID, answer: State, now: datetime) -> WalkIn:
    """Say as the volunteer that it was so, which gives a place and settles the attendance, or that it was not.

    The same again changes nothing. Raises NotFound, WalkInAnswered, WalkInTooLate, HasPlace, SignUpClosed.
    """
    walk_in = queries.get_walk_in(tx, scope, walk_in_id)
    lock_volunteer(tx, programme_id=walk_in.programme_id, volunteer_id=walk_in.volunteer_id)
    on = get_shift(tx, programme_id=walk_in.programme_id, shift_id=walk_in.shift_id)
    lock_shifts_by_id(tx, [walk_in.shift_id])
    tx.refresh(walk_in)
    if rules.is_repeat(walk_in.state, answer):
        return walk_in
    rules.require_before(_until(on), now=now)
    walk_in.state, walk_in.answered_at = answer, now
    if answer is State.CONFIRMED:
        _admit(tx, walk_in, now=now)
        presence = Presence(walk_in.checked_in_at, walk_in.checked_out_at, EvidenceClass.CLAIMED)
        by = walk_in.volunteer_id
        settle(tx, [Settlement(new_id(), by, on.shift, 1, presence, BY_WALK_IN, by, now)])
    return walk_in


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let one record's walk-ins be another's of the same person, where that has none on the shift.

    But those that the person has recorded themselves, as a member of the partner: they are not both keys.
    """
    moved = tx.scalars(_HAND_OVER, {"kept_id": kept_id, "merged_id": merged_id}).all()
    values = {"volunteer_id": merged_id}, {"volunteer_id": kept_id}
    note(tx, "walk_in", (Change(each, *values) for each in moved), handed_over=len(moved))


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports something about a shift, for which side, and when."""

    scope: Scope  # Of a partner, or of a volunteer.
    person_id: UUID
    shift_id: UUID
    at: datetime


def report(tx: Session, reporter: Reporter, *, kind: IncidentKind, details: str) -> Incident:
    """Open an incident about a shift as its partner, or as who signed up for it. Raises NotFound, NotSignedUp."""
    scope = reporter.scope
    on = get_shift(tx, programme_id=scope.programme_id, shift_id=reporter.shift_id, partner_id=scope.partner_id)
    side = incident_rules.Side.PARTNER
    if scope.volunteer_id is not None:
        side = incident_rules.Side.VOLUNTEER
        if find_sign_up(tx, shift_id=on.shift.id, volunteer_id=scope.volunteer_id) is None:
            raise NotSignedUp(shift_id=on.shift.id)
    about = incidents.About(
        IncidentSubject.SHIFT, on.shift.id, shift_id=on.shift.id, listing_id=on.listing.id,
        partner_id=on.shift.partner_id,
    )  # fmt: skip
    opened = incidents.Report(scope.programme_id, kind, about, details, side, reporter.person_id, reporter.at)
    return incidents.open_incident(tx, opened)


def _lock_shift(tx: Session, host: Host) -> ShiftOfListing:
    """Lock one of the host's shifts, which happens. Raises NotFound, ShiftCancelled."""
    on = _own_shift(tx, host)
    lock_shifts_by_id(tx, [on.shift.id])
    require_not_cancelled(on.shift.state)
    return on


def _own_shift(tx: Session, host: Host) -> ShiftOfListing:
    """Return one of the host's shifts with its listing. Raises NotFound."""
    return get_shift(tx, programme_id=host.programme_id, shift_id=host.shift_id, partner_id=host.partner_id)


def _let_in(tx: Session, host: Host, on: ShiftOfListing, expected: Mapping[UUID, Expected]) -> None:
    coming = [(on.shift, who, host.at) for who, each in expected.items() if each.attendance is None]
    if coming:
        arrive(tx, coming)
        start_shifts(tx, [on.shift.id])


def _let_out(tx: Session, host: Host, on: ShiftOfListing, expected: Mapping[UUID, Expected]) -> None:
    leaving = [each.attendance for each in expected.values() if each.attendance is not None]
    settle(
        tx,
        [
            Settlement(
                known.id, known.volunteer_id, on.shift, 1,
                Presence(known.checked_in_at, host.at, EvidenceClass.ATTESTED),
                BY_ROSTER, host.person_id, host.at, known=known,
            )
            for known in leaving
            if allows(known.state, Command.CHECK_OUT)
        ],
    )  # fmt: skip


def _outcome(host: Host, way: Way, expected: Expected | None) -> Outcome:
    """Say how a person stands after their tick."""
    if expected is None:
        return NotSignedUp(shift_id=host.shift_id)
    if way is Way.IN:
        return "checked_in" if expected.attendance is None else expected.attendance.state
    if expected.attendance is None:
        return NotCheckedIn()
    return "settled" if allows(expected.attendance.state, Command.CHECK_OUT) else expected.attendance.state


def _admit(tx: Session, walk_in: WalkIn, *, now: datetime) -> None:
    """Give who walked in the place that they had; who waited in the line, or had given a place back, returns to it."""
    known = find_sign_up(tx, shift_id=walk_in.shift_id, volunteer_id=walk_in.volunteer_id)
    if known is None:
        pair = (walk_in.shift_id, walk_in.volunteer_id)
        add_places(tx, programme_id=walk_in.programme_id, places=[pair], now=now, source="walk_in")
        return
    rules.require_no_place(has_place=known.state in PLACED)
    command = rules.admission(known.state)
    next_state(known.state, command)
    move(tx, Move(command, now), [known.id])


def _until(on: ShiftOfListing) -> datetime:
    return claim_until(on.shift.ends_at, zone(on.listing.timezone))
