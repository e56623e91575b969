"""What can be done with attendance.

Every way to a settled minute ends in `settle`, set-wise. Whoever changes a person's attendance holds that person's
lock, taken before any other, so that two changes of one person follow each other and never deadlock.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Result, select, text
from sqlalchemy.orm import Session

from services.activities.attendance import queries, rules
from services.activities.attendance.tables import Attendance
from services.activities.eligibility.rules import Interval as Dates
from services.activities.listings.actions import hold_shifts
from services.activities.listings.queries import shifts_by_id
from services.activities.listings.tables import Shift
from services.activities.sign_ups.actions import attend_after_all
from shared import bus
from shared.audit import Change, note
from shared.database.packed import instants, integers, texts, uuids
from shared.events.activities import (
    AttendanceCheckedIn,
    AttendanceRevised,
    AttendanceSettled,
    AttendanceVoided,
    EvidenceClass,
)
from shared.ids import new_ids

NO_LIMIT = -1  # Arrays of integers hold no null.
OVERLAP = "another attendance of the same person covers some of these minutes"
Fact = AttendanceSettled | AttendanceRevised | AttendanceVoided
FACTS: dict[str, type[Fact]] = {"settled": AttendanceSettled, "revised": AttendanceRevised, "voided": AttendanceVoided}

_ARRIVE = text("""
    INSERT INTO attendance
        (id, programme_id, shift_id, listing_id, partner_id, volunteer_id, service_on, state, version, checked_in_at)
    SELECT a.id, s.programme_id, s.id, s.listing_id, s.partner_id, a.volunteer_id, s.service_on, 'checked_in', 0,
        a.checked_in_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:shifts AS uuid[]), CAST(:volunteers AS uuid[]), CAST(:ins AS timestamptz[]))
        AS a(id, shift_id, volunteer_id, checked_in_at) JOIN shift s ON s.id = a.shift_id
    RETURNING attendance.*
""").columns(*Attendance.__table__.columns)
_ARRIVALS = select(Attendance).from_statement(_ARRIVE)
_WRITTEN = """
    WITH decided AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:versions AS int[]), CAST(:kinds AS text[]), CAST(:shifts AS uuid[]),
            CAST(:volunteers AS uuid[]), CAST(:ins AS timestamptz[]), CAST(:outs AS timestamptz[]),
            CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:evidence AS text[]),
            CAST(:minutes AS int[]), CAST(:matchable AS int[]), CAST(:agreed AS int[]), CAST(:reasons AS text[]),
            CAST(:deciders AS uuid[]), CAST(:decided AS timestamptz[]))
        AS d(id, version, kind, shift_id, volunteer_id, checked_in_at, checked_out_at, started_at, ended_at, evidence,
             minutes, matchable, agreed, reason, decided_by, decided_at)),
    current AS (
        INSERT INTO attendance AS a (id, programme_id, shift_id, listing_id, partner_id, volunteer_id, service_on,
            state, version, checked_in_at, checked_out_at, started_at, ended_at, evidence,
            service_minutes, matchable_minutes, agreed_minutes)
        SELECT d.id, s.programme_id, d.shift_id, s.listing_id, s.partner_id, d.volunteer_id, s.service_on,
            CASE d.kind WHEN 'voided' THEN 'voided' ELSE 'settled' END, d.version, d.checked_in_at, d.checked_out_at,
            d.started_at, d.ended_at, d.evidence, d.minutes, d.matchable, nullif(d.agreed, :no_limit)
        FROM decided d JOIN shift s ON s.id = d.shift_id
        ON CONFLICT (id) DO UPDATE SET volunteer_id = excluded.volunteer_id, state = excluded.state,
            version = excluded.version, checked_in_at = excluded.checked_in_at,
            checked_out_at = excluded.checked_out_at, started_at = excluded.started_at, ended_at = excluded.ended_at,
            evidence = excluded.evidence, service_minutes = excluded.service_minutes,
            matchable_minutes = excluded.matchable_minutes, agreed_minutes = excluded.agreed_minutes
        RETURNING a.*),
    versions AS (
        INSERT INTO attendance_version (attendance_id, version, kind, checked_in_at, checked_out_at, started_at,
            ended_at, evidence, service_minutes, matchable_minutes, reason, decided_by, decided_at)
        SELECT d.id, d.version, d.kind, d.checked_in_at, d.checked_out_at, d.started_at, d.ended_at,
            d.evidence, d.minutes, d.matchable, d.reason, d.decided_by, d.decided_at
        FROM decided d JOIN current USING (id))
"""
_WRITE = text(f"{_WRITTEN} SELECT")
_WRITE_AND_RETURN = (
    select(Attendance)
    .from_statement(text(f"{_WRITTEN} TABLE current").columns(*Attendance.__table__.columns))
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Presence:
    """When somebody was on a shift, as it is said or scanned; instants, not yet clipped."""

    checked_in_at: datetime
    checked_out_at: datetime
    evidence: EvidenceClass


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is decided about one attendance, and why; `voided` takes its service back, whatever the presence was.

    `agreed` is what may be matched of it at most, where that is what is decided: of work that is handed in.
    """

    attendance_id: UUID
    volunteer_id: UUID
    shift: Shift
    version: int  # The new one.
    presence: Presence
    reason: str
    decided_by: UUID
    decided_at: datetime
    voided: bool = False
    known: Attendance | None = None  # As it was, where there was one.
    agreed: int | None = None

    @property
    def kind(self) -> str:
        """Say which fact this becomes."""
        if self.voided:
            return "voided"
        return "settled" if self.version == 1 else "revised"

    def counted(self, minutes: Mapping[UUID, int], intervals: Mapping[UUID, Sequence[Dates]]) -> rules.Counted:
        """Say what its minutes come to, of whoever is employed at these `intervals`."""
        employed = intervals.get(self.volunteer_id, ())
        return rules.count(
            minutes[self.attendance_id], employed=employed, service_on=self.shift.service_on, agreed=self.limit
        )

    @property
    def limit(self) -> int | None:
        """What may be matched of it at most; None for no limit."""
        known = None if self.known is None else self.known.agreed_minutes
        is_handed_in = self.shift.minutes_per_piece is not None
        return rules.agreed_minutes(is_handed_in=is_handed_in, decided=self.agreed, known=known)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The whole minutes within the shift, half-open."""
        starts_at, ends_at = self.shift.starts_at, self.shift.ends_at
        return rules.clip(
            self.presence.checked_in_at, self.presence.checked_out_at, starts_at=starts_at, ends_at=ends_at
        )


def arrive(tx: Session, arrivals: Sequence[tuple[Shift, UUID, datetime]]) -> Sequence[Attendance]:
    """Record and tell who came and has not left, as (shift, volunteer, instant); the caller holds their locks."""
    ids = new_ids(len(arrivals))
    columns = {
        "ids": uuids(ids), "shifts": uuids(shift.id for shift, _, _ in arrivals),
        "volunteers": uuids(person for _, person, _ in arrivals), "ins": instants([at for _, _, at in arrivals]),
    }  # fmt: skip
    arrived = tx.scalars(_ARRIVALS, columns).all()
    new = zip(ids, arrivals, strict=True)
    changes = (Change(i, None, {"state": "checked_in", "checked_in_at": at}, of=person) for i, (_, person, at) in new)
    note(tx, "attendance", changes, arrived=len(ids))
    came = [_arrival(attendance_id, *arrival) for attendance_id, arrival in zip(ids, arrivals, strict=True)]
    bus.emit_all(tx, came, of=[fact.volunteer_id for fact in came])
    return arrived


def settle(tx: Session, settlements: Sequence[Settlement]) -> None:
    """Write decisions as new versions and tell them; with them, others of the same people whose minutes change.

    The caller holds the people's locks. One statement and the events, however many there are.
    """
    _settle(tx, settlements, _WRITE)


def settle_few(tx: Session, settlements: Sequence[Settlement]) -> dict[UUID, Attendance]:
    """Do the same, and return all attendances that were written, by id, without another read."""
    return {row.id: row for row in _settle(tx, settlements, _WRITE_AND_RETURN).scalars()}


def _settle(tx: Session, settlements: Sequence[Settlement], write: Executable) -> Result[Any]:
    """Carry out what `settle` says. Rows that `write` returns are read last: what was `known` is told before."""
    known = queries.known_of(tx, {settlement.volunteer_id for settlement in settlements})
    minutes = _share_out(settlements, known.neighbours)
    decided = [*settlements, *_moved(tx, settlements, minutes)]
    counted = {each.attendance_id: each.counted(minutes, known.intervals) for each in decided}
    written = tx.execute(write, _columns(decided, counted))
    note(tx, "attendance", (_change(each, counted) for each in decided), **Counter(each.kind for each in decided))
    expected = [each for each in reversed(decided) if not each.voided and each.shift.state != "held"]
    served = {each.shift.id: each.volunteer_id for each in expected}
    held = hold_shifts(tx, served, by=served, at=max(each.decided_at for each in decided)) if served else []
    late = [each for each in decided if each.shift.concluded_at is not None and not each.voided]
    attend_after_all(tx, {(each.shift.id, each.volunteer_id): each.decided_at for each in late})
    facts = [_fact(each, counted[each.attendance_id]) for each in decided]
    people = [*(each.volunteer_id for each in decided), *(served[each.shift_id] for each in held)]
    bus.emit_all(tx, [*facts, *held], of=people)
    return written


def _share_out(settlements: Sequence[Settlement], neighbours: dict[UUID, list[rules.Neighbour]]) -> dict[UUID, int]:
    """Return minutes by attendance: of all that are decided, and of neighbours whose minutes change."""
    changes: dict[UUID, list[rules.Change]] = {}
    for settlement in settlements:
        interval = None if settlement.voided else rules.Interval(settlement.attendance_id, *settlement.span)
        changes.setdefault(settlement.volunteer_id, []).append(rules.Change(settlement.attendance_id, interval))
    minutes: dict[UUID, int] = {}
    for volunteer_id, decided in changes.items():
        minutes |= rules.settle_person(decided, neighbours.get(volunteer_id, []))
    return minutes


def _moved(tx: Session, settlements: Sequence[Settlement], minutes: Mapping[UUID, int]) -> list[Settlement]:
    """Decide again, unchanged but for their minutes, about attendances whose neighbours are changed."""
    attendance_ids = set(minutes) - {settlement.attendance_id for settlement in settlements}
    if not attendance_ids:
        return []
    rows = queries.list_by_id(tx, attendance_ids)
    shifts = shifts_by_id(tx, {row.shift_id for row in rows})
    because = {settlement.volunteer_id: settlement for settlement in settlements}
    return [
        Settlement(
            row.id, row.volunteer_id, shifts[row.shift_id], row.version + 1, presence_of(row), OVERLAP,
            because[row.volunteer_id].decided_by, because[row.volunteer_id].decided_at, known=row,
        )
        for row in rows
    ]  # fmt: skip


def presence_of(attendance: Attendance) -> Presence:
    """Return when somebody was there, as it was settled. Raises NotSettled."""
    if attendance.checked_out_at is None or attendance.evidence is None:
        raise rules.NotSettled
    return Presence(attendance.checked_in_at, attendance.checked_out_at, EvidenceClass(attendance.evidence))


def _columns(settlements: Sequence[Settlement], counted: Mapping[UUID, rules.Counted]) -> dict[str, object]:
    spans, presences = [each.span for each in settlements], [each.presence for each in settlements]
    return {
        "ids": uuids(each.attendance_id for each in settlements),
        "versions": integers([each.version for each in settlements]),
        "kinds": texts(each.kind for each in settlements),
        "shifts": uuids(each.shift.id for each in settlements),
        "volunteers": uuids(each.volunteer_id for each in settlements),
        "ins": instants([presence.checked_in_at for presence in presences]),
        "outs": instants([presence.checked_out_at for presence in presences]),
        "starts": instants([start for start, _ in spans]),
        "ends": instants([end for _, end in spans]),
        "evidence": texts(presence.evidence.value for presence in presences),
        "minutes": integers([counted[each.attendance_id].service for each in settlements]),
        "matchable": integers([counted[each.attendance_id].matchable for each in settlements]),
        "agreed": integers([NO_LIMIT if each.limit is None else each.limit for each in settlements]),
        "no_limit": NO_LIMIT,
        "reasons": texts(each.reason for each in settlements),
        "deciders": uuids(each.decided_by for each in settlements),
        "decided": instants([each.decided_at for each in settlements]),
    }


def _change(settlement: Settlement, counted: Mapping[UUID, rules.Counted]) -> Change:
    """Say from what to what an attendance is decided, as the audit trail shows it."""
    known, presence = settlement.known, settlement.presence
    after = {
        "state": "voided" if settlement.voided else "settled", "version": settlement.version,
        "checked_in_at": presence.checked_in_at, "checked_out_at": presence.checked_out_at,
        "evidence": presence.evidence, "service_minutes": counted[settlement.attendance_id].service,
        "matchable_minutes": counted[settlement.attendance_id].matchable,
    }  # fmt: skip
    before = None if known is None else {name: getattr(known, name) for name in after}
    return Change(settlement.attendance_id, before, after, settlement.kind, settlement.volunteer_id)


def _arrival(attendance_id: UUID, shift: Shift, volunteer_id: UUID, at: datetime) -> AttendanceCheckedIn:
    return AttendanceCheckedIn(
        programme_id=shift.programme_id, attendance_id=attendance_id, partner_id=shift.partner_id,
        listing_id=shift.listing_id, shift_id=shift.id, volunteer_id=volunteer_id, checked_in_at=at,
    )  # fmt: skip


def _fact(settlement: Settlement, counted: rules.Counted) -> Fact:
    shift = settlement.shift
    return FACTS[settlement.kind](
        programme_id=shift.programme_id, attendance_id=settlement.attendance_id, version=settlement.version,
        partner_id=shift.partner_id, listing_id=shift.listing_id, shift_id=shift.id,
        volunteer_id=settlement.volunteer_id, started_at=settlement.span[0], service_on=shift.service_on,
        service_minutes=counted.service, matchable_minutes=counted.matchable, evidence=settlement.presence.evidence,
    )  # fmt: skip
