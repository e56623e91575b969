"""Reads and locks of imports, and of the facts that rows are judged by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from services.activities.attendance.queries import find_recorded
from services.activities.attendance.tables import Attendance
from services.activities.imports import rules
from services.activities.imports.tables import Import
from services.activities.listings.queries import ShiftOfListing, find_listings, find_partners, find_shifts
from services.activities.volunteers.queries import find_by_number, find_suppressed
from services.activities.volunteers.tables import Volunteer
from shared.errors import NotFound

Recorded = dict[tuple[tuple[str, int], str], Attendance]


def get_import(tx: Session, *, programme_id: UUID, import_id: UUID) -> Import:
    """Return an import with its reject file. Raises NotFound."""
    rows = select(Import).where(Import.id == import_id, Import.programme_id == programme_id)
    return _found(tx.scalars(rows.options(undefer(Import.reject_file))).first(), import_id)


def lock_import(tx: Session, *, programme_id: UUID, import_id: UUID) -> Import:
    """Lock an import, with its staged rows. Raises NotFound."""
    rows = select(Import).where(Import.id == import_id, Import.programme_id == programme_id)
    return _found(tx.scalars(rows.options(undefer(Import.staged)).with_for_update()).first(), import_id)


def list_holding_people(tx: Session, *, programme_id: UUID) -> Iterator[Import]:
    """Yield, locked and whole, one at a time, the imports that hold rows of people."""
    holding = Import.staged.is_not(None) | Import.reject_file.is_not(None) | (Import.errors != [])
    rows = select(Import.id).where(Import.programme_id == programme_id, Import.kind.in_(rules.OF_PEOPLE), holding)
    for import_id in tx.scalars(rows.order_by(Import.id)).all():
        whole = (
            select(Import).where(Import.id == import_id).options(undefer(Import.staged), undefer(Import.reject_file))
        )
        yield tx.scalars(whole.with_for_update().execution_options(populate_existing=True)).one()


def _found(row: Import | None, import_id: UUID) -> Import:
    if row is None:
        raise NotFound(import_id=import_id)
    return row


def judge_volunteers(tx: Session, programme_id: UUID, rows: Sequence[rules.VolunteerRow]) -> rules.Objections:
    """Judge people by who is registered."""
    numbers = {row.employee_number for row in rows}
    known = find_by_number(tx, programme_id=programme_id, numbers=numbers)
    names = {number: volunteer.display_name for number, volunteer in known.items()}
    erased = find_suppressed(tx, programme_id=programme_id, numbers=numbers - known.keys())
    return rules.judge_volunteers(rows, names, erased)


class KnownListing(NamedTuple):
    """A listing that exists, as far as rows are compared with it or added to it."""

    id: UUID
    partner_reference: str
    title: str
    timezone: str


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """What is recorded of the partners, listings and shifts that rows name."""

    partners: dict[str, UUID]
    listings: dict[str, KnownListing]
    shifts: dict[tuple[str, int], rules.KnownShift]


def listing_facts(tx: Session, programme_id: UUID, rows: Sequence[rules.ShiftRow]) -> ListingFacts:
    """Look up everything that rows of shifts name."""
    listings = find_listings(tx, programme_id=programme_id, references={row.listing_reference for row in rows})
    partners = find_partners(tx, programme_id=programme_id, references={row.partner_reference for row in rows})
    names = {partner.id: reference for reference, partner in partners.items()}
    keys = {(row.listing_reference, row.shift_number) for row in rows}
    shifts = find_shifts(tx, programme_id=programme_id, keys=keys)
    return ListingFacts(
        partners={reference: partner.id for reference, partner in partners.items()},
        listings={
            reference: KnownListing(listing.id, names.get(listing.partner_id, ""), listing.title, listing.timezone)
            for reference, listing in listings.items()
        },
        shifts={key: _known(shift) for key, shift in shifts.items()},
    )


def judge_shifts(facts: ListingFacts, rows: Sequence[rules.ShiftRow]) -> rules.Objections:
    """Judge shifts by what is published."""
    listings = {reference: (known.partner_reference, known.title) for reference, known in facts.listings.items()}
    return rules.judge_shifts(rows, partners=facts.partners.keys(), listings=listings, shifts=facts.shifts)


@dataclass(frozen=True, slots=True)
class AttendanceFacts:
    """What is recorded of the people, shifts and attendances that rows name."""

    people: dict[str, Volunteer]
    shifts: dict[tuple[str, int], ShiftOfListing]
    recorded: Recorded


def attendance_facts(tx: Session, programme_id: UUID, rows: Sequence[rules.AttendanceRow]) -> AttendanceFacts:
    """Look up everything that rows of attendance name."""
    people = find_by_number(tx, programme_id=programme_id, numbers={row.employee_number for row in rows})
    shifts = find_shifts(tx, programme_id=programme_id, keys={row.shift_key for row in rows})
    pairs = {
        (shifts[row.shift_key].shift.id, people[row.employee_number].id): (row.shift_key, row.employee_number)
        for row in rows
        if row.shift_key in shifts and row.employee_number in people
    }
    recorded = {pairs[pair]: attendance for pair, attendance in find_recorded(tx, pairs).items()}
    return AttendanceFacts(people, shifts, recorded)


def judge_attendance(facts: AttendanceFacts, rows: Sequence[rules.AttendanceRow], now: datetime) -> rules.Objections:
    """Judge attendance by what is recorded."""
    return rules.judge_attendance(
        rows,
        people=facts.people.keys(),
        shifts={key: _known(shift) for key, shift in facts.shifts.items()},
        recorded={key: _recorded(attendance) for key, attendance in facts.recorded.items()},
        now=now,
    )


def _known(found: ShiftOfListing) -> rules.KnownShift:
    shift = found.shift
    return rules.KnownShift(shift.starts_at, shift.ends_at, shift.capacity, shift.state)


def _recorded(attendance: Attendance) -> rules.KnownAttendance:
    return rules.KnownAttendance(
        attendance.checked_in_at, attendance.checked_out_at, attendance.evidence, attendance.state
    )
