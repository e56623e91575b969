"""What is decided of the places on a shift that is over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from services.activities.closings import queries, rules
from services.activities.closings.queries import Standing
from services.activities.incidents.actions import About, Report, open_found
from services.activities.incidents.rules import Side
from services.activities.listings.actions import conclude_shifts
from services.activities.listings.queries import find_unclosed, list_timezones, lock_shift, lock_shifts_by_id
from services.activities.listings.tables import Shift
from services.activities.scans.actions import take_marks
from services.activities.sign_ups.actions import Move, move
from services.activities.sign_ups.queries import Moved
from services.activities.sign_ups.rules import Command
from services.activities.volunteers.queries import lock_volunteers
from shared import bus
from shared.events.activities_claims import AttendanceMissed, MissedKind
from shared.events.activities_incidents import IncidentKind, IncidentSubject
from shared.zones import zone

CLAIMABLE = frozenset(MissedKind)
MISSED = CLAIMABLE | {"taken_back"}
Found = tuple[str, Report]  # With its key: what was found before is not opened again.
Verdicts = Mapping[Standing, rules.Verdict]


def close_shifts(tx: Session, *, now: datetime, limit: int = rules.SHIFTS_AT_ONCE) -> int:
    """Decide of each place on shifts that ended an hour ago or earlier who was there; return how many were closed.

    At most `limit` shifts, those that ended first: what an outage left over is done batch by batch. Each is closed
    once; who was missed is told once, and what of their scans cannot be is opened once as an incident, however often
    this runs. It takes people before shifts, as everybody does.
    """
    due = find_unclosed(tx, ended_before=now - rules.CLOSES_AFTER, limit=limit)
    people = queries.find_expected(tx, due)
    lock_volunteers(tx, people)
    shifts = {shift.id: shift for shift in lock_shifts_by_id(tx, due) if shift.concluded_at is None}
    standings = queries.list_standings(tx, [shift.id for shift in shifts.values() if rules.happens(shift.state)])
    later = {standing.shift_id for standing in standings if standing.volunteer_id not in people}  # Came in between.
    verdicts = {each: _verdict(each, shifts[each.shift_id]) for each in standings if each.shift_id not in later}
    _decide(tx, shifts, verdicts, now=now)
    closed = shifts.keys() - later
    conclude_shifts(tx, closed, now=now)
    signals = (_alike, _by_one_device, _overlapping)
    open_found(tx, [each for find in signals for each in find(tx, shifts, closed, now=now)])
    return len(closed)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody says of people who were missed on a shift; `partner_id` limits it to that partner's shifts."""

    programme_id: UUID
    partner_id: UUID | None
    shift_id: UUID
    volunteer_ids: Collection[UUID]
    because: str
    at: datetime


def mark_no_shows(tx: Session, judgement: Judgement) -> list[Moved]:
    """Say of people who were missed that they did not come; return those of whom that is new.

    A timer never does: somebody says so, with a reason, and the person may claim. Raises NotFound.
    """
    shift = lock_shift(
        tx, programme_id=judgement.programme_id, shift_id=judgement.shift_id, partner_id=judgement.partner_id
    )
    places = queries.find_missed(tx, shift_id=shift.id, volunteer_ids=judgement.volunteer_ids)
    return move(tx, Move(Command.MARK_NO_SHOW, judgement.at, judgement.because), places)


def _verdict(standing: Standing, shift: Shift) -> rules.Verdict:
    return rules.verdict(standing.attendance, is_handed_in=shift.minutes_per_piece is not None)


def _alike(tx: Session, shifts: Mapping[UUID, Shift], closed: Collection[UUID], *, now: datetime) -> list[Found]:
    """Say of which shifts the scans of many people are of the same seconds, with the key of each such group."""
    found = []
    for group in rules.same_stamps(queries.list_stays(tx, closed)):
        shift, (came, left) = shifts[group[0].shift_id], group[0].stamps
        about = _about(shift, IncidentSubject.SHIFT, shift.id)
        details = (
            f"{len(group)} 人的签到和签退时刻相同 / {len(group)} people scanned in the same seconds: {came}, {left}"
        )
        found.append((f"same_stamps:{shift.id}:{came}:{left}", _signal(shift, about, details, now=now)))
    return found


def _by_one_device(
    tx: Session, shifts: Mapping[UUID, Shift], closed: Collection[UUID], *, now: datetime
) -> list[Found]:
    """Say for whom one device scanned, with the key of each such group; nothing is kept of devices after that."""
    found = []
    for shift_id, people in rules.same_device(take_marks(tx, closed)):
        shift, key = shifts[shift_id], f"same_device:{shift_id}:{uuid5(shift_id, _listed(people))}"
        about = _about(shift, IncidentSubject.SHIFT, shift_id)
        many, named, more = len(people), _listed(people[: rules.MOST_NAMED]), len(people) - rules.MOST_NAMED
        rest = f"；另 {more} 人 / and {more} more" if more > 0 else ""
        details = f"同一设备为 {many} 人扫码 / One device scanned for {many} people: {named}{rest}"
        found.append((key, _signal(shift, about, details, now=now)))
    return found


def _listed(people: Sequence[UUID]) -> str:
    return ", ".join(map(str, people))


def _overlapping(tx: Session, shifts: Mapping[UUID, Shift], closed: Collection[UUID], *, now: datetime) -> list[Found]:
    """Say of which people there are scans on two activities at once, with the key of each such pair of shifts."""
    found = {}
    for stay, other in queries.list_other_stays(tx, closed):
        if rules.impossible(stay, other):
            shift, pair = shifts[stay.shift_id], sorted((stay.shift_id, other.shift_id))
            about = _about(shift, IncidentSubject.VOLUNTEER, stay.volunteer_id, volunteer_id=stay.volunteer_id)
            details = f"同一时段在两个场次扫码 / Scans on two shifts at once: {pair[0]}, {pair[1]}"
            found[f"overlap:{stay.volunteer_id}:{pair[0]}:{pair[1]}"] = _signal(shift, about, details, now=now)
    return list(found.items())


def _about(shift: Shift, kind: IncidentSubject, subject_id: UUID, *, volunteer_id: UUID | None = None) -> About:
    return About(kind, subject_id, shift.id, shift.listing_id, shift.partner_id, volunteer_id)


def _signal(shift: Shift, about: About, details: str, *, now: datetime) -> Report:
    return Report(shift.programme_id, IncidentKind.FRAUD_SIGNAL, about, details, Side.SYSTEM, None, now)


def _decide(tx: Session, shifts: Mapping[UUID, Shift], verdicts: Verdicts, *, now: datetime) -> None:
    """Move places to where they belong, and tell who was missed."""
    attended = [each.sign_up_id for each, verdict in verdicts.items() if verdict == "attended"]
    missed = [each.sign_up_id for each, verdict in verdicts.items() if verdict in MISSED]
    move(tx, Move(Command.ATTEND, now), attended)
    move(tx, Move(Command.MISS, now), missed)
    bus.emit_all(tx, _facts(tx, shifts, verdicts))


def _facts(tx: Session, shifts: Mapping[UUID, Shift], verdicts: Verdicts) -> Sequence[AttendanceMissed]:
    zones = list_timezones(tx, {shift.listing_id for shift in shifts.values()})
    claimable = [(each, verdict) for each, verdict in verdicts.items() if verdict in CLAIMABLE]
    return [
        AttendanceMissed(
            programme_id=shift.programme_id,
            sign_up_id=each.sign_up_id,
            shift_id=shift.id,
            listing_id=shift.listing_id,
            partner_id=shift.partner_id,
            volunteer_id=each.volunteer_id,
            service_on=shift.service_on,
            kind=MissedKind(verdict),
            claim_until=rules.claim_until(shift.ends_at, zone(zones[shift.listing_id])),
        )
        for each, verdict in claimable
        for shift in (shifts[each.shift_id],)
    ]
