"""Stage, validate, commit: a sheet takes effect whole or not at all, and taking it in again changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle
from services.activities.imports import queries, rules
from services.activities.imports.rules import Kind
from services.activities.imports.tables import Import
from services.activities.listings.actions import NewListing, NewShift, add_listings, add_shifts, start_shifts
from services.activities.listings.queries import lock_references, lock_shifts
from services.activities.listings.rules import Times, zone
from services.activities.sign_ups.actions import add_places
from services.activities.volunteers.actions import register_all
from services.activities.volunteers.queries import find_by_number, lock_volunteers
from services.activities.volunteers.rules import Registration
from shared.documents.rejects import write_rejects
from shared.documents.sheets import CellError, read_sheet
from shared.events.activities import EvidenceClass
from shared.ids import new_id
from shared.seen import Seen

MOST_ERRORS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A sheet that somebody sends in; instants without an offset are local to `timezone`."""

    programme_id: UUID
    sent_by: UUID
    kind: Kind
    timezone: str
    file_name: str
    content: IO[bytes]


def stage(tx: Session, upload: Upload, *, now: datetime) -> Import:
    """Read and judge a sheet; keep its good rows for the commit, and the others as a file to mend.

    Raises UnknownTimezone and the refusals of `shared.documents` for a file that cannot be used at all.
    """
    columns = rules.columns_of(upload.kind, zone(upload.timezone))
    sheet = read_sheet(upload.content, filename=upload.file_name, columns=columns)
    rows = [ROWS[upload.kind](**row.values) for row in sheet.rows]
    objections = _judge(tx, upload.kind, upload.programme_id, rows, now)
    refused = [sheet.reject(sheet.rows[place], found) for place, found in objections.items()]
    staged = _staged(upload, now, good=[row for place, row in enumerate(rows) if place not in objections])
    rejected = sorted([*sheet.rejected, *refused], key=lambda row: row.number)
    staged.rejected = len(rejected)
    staged.errors = [_shown(error) for row in rejected[:MOST_ERRORS_SHOWN] for error in row.errors][:MOST_ERRORS_SHOWN]
    staged.reject_file = write_rejects(sheet, more=refused) if rejected else None
    tx.add(staged)
    tx.flush()
    return staged


@dataclass(frozen=True, slots=True)
class Decision:
    """Who wants a staged sheet brought in, on which reading of it and when; without its rejected rows if so said."""

    programme_id: UUID
    import_id: UUID
    seen: Seen
    skip_rejected: bool
    decided_by: UUID
    at: datetime


def commit(tx: Session, decision: Decision) -> Import:
    """Bring in the good rows of a staged sheet, all in this transaction; again changes nothing.

    Raises NotFound, ChangedSince, ImportHasRejects, ImportOutdated.
    """
    staged = queries.lock_import(tx, programme_id=decision.programme_id, import_id=decision.import_id)
    decision.seen.require(staged)
    if staged.staged is None:
        return staged
    rules.require_clean(staged.rejected, skip_rejected=decision.skip_rejected)
    rows = _revived(Kind(staged.kind), staged.staged)
    staged.added = BRING[Kind(staged.kind)](tx, staged, rows, decision.decided_by, decision.at)
    staged.unchanged = len(rows) - staged.added
    staged.committed_at, staged.staged = decision.at, None
    return staged


def _judge(tx: Session, kind: Kind, programme_id: UUID, rows: Sequence[Any], now: datetime) -> rules.Objections:
    if kind is Kind.VOLUNTEERS:
        return queries.judge_volunteers(tx, programme_id, rows)
    if kind is Kind.SHIFTS:
        return queries.judge_shifts(queries.listing_facts(tx, programme_id, rows), rows)
    return queries.judge_attendance(queries.attendance_facts(tx, programme_id, rows), rows, now)


def _staged(upload: Upload, now: datetime, *, good: Sequence[tuple[Any, ...]]) -> Import:
    return Import(
        id=new_id(),
        programme_id=upload.programme_id,
        kind=upload.kind,
        file_name=upload.file_name[-200:],  # Its ending says what it is.
        good=len(good),
        staged_by=upload.sent_by,
        staged_at=now,
        staged=orjson.dumps({"timezone": upload.timezone, "rows": [tuple(row) for row in good]}),
    )


def _shown(error: CellError) -> dict[str, str]:
    facts = asdict(error)
    facts["fix_zh"], facts["fix_en"] = facts.pop("fix")
    return facts


def _bring_volunteers(
    tx: Session, staged: Import, rows: Sequence[rules.VolunteerRow], _decided_by: UUID, now: datetime
) -> int:
    """Register people; return how many are new."""
    registrations = [Registration(*row) for row in rows]
    added = register_all(tx, programme_id=staged.programme_id, registrations=registrations, now=now)
    rules.require_current(
        queries.judge_volunteers(tx, staged.programme_id, rows)
    )  # After it: somebody may have been first.
    return added


def _bring_shifts(tx: Session, staged: Import, rows: Sequence[rules.ShiftRow], _decided_by: UUID, now: datetime) -> int:
    """Publish shifts, and listings that are new; return how many shifts are new."""
    lock_references(tx, programme_id=staged.programme_id)
    facts = queries.listing_facts(tx, staged.programme_id, rows)
    rules.require_current(queries.judge_shifts(facts, rows))
    new = sorted(row for row in rows if (row.listing_reference, row.shift_number) not in facts.shifts)
    timezone = orjson.loads(staged.staged or b"{}")["timezone"]
    grouped = groupby(new, key=lambda row: row.listing_reference)
    listings = [_listing(facts, timezone, list(group)) for _, group in grouped]
    add_listings(
        tx, programme_id=staged.programme_id, now=now,
        listings=[listing for listing in listings if listing.reference not in facts.listings],
    )  # fmt: skip
    known = [(facts.listings[item.reference].id, item) for item in listings if item.reference in facts.listings]
    add_shifts(tx, programme_id=staged.programme_id, listings=known)
    return len(new)


def _listing(facts: queries.ListingFacts, timezone: str, rows: Sequence[rules.ShiftRow]) -> NewListing:
    """Describe a listing's new shifts; one that exists stays in its own time zone."""
    first = rows[0]
    known = facts.listings.get(first.listing_reference)
    shifts = (NewShift(row.shift_number, Times(row.starts_at, row.ends_at), row.capacity) for row in rows)
    partner_id = facts.partners[first.partner_reference]
    timezone = known.timezone if known else timezone
    return NewListing(partner_id, first.listing_reference, first.title, timezone, tuple(shifts))


def _bring_attendance(
    tx: Session, staged: Import, rows: Sequence[rules.AttendanceRow], decided_by: UUID, now: datetime
) -> int:
    """Record who came, and settle whose departure is known; return how many rows changed something."""
    people = find_by_number(tx, programme_id=staged.programme_id, numbers={row.employee_number for row in rows})
    lock_volunteers(tx, {volunteer.id for volunteer in people.values()})
    lock_shifts(tx, programme_id=staged.programme_id, references={row.listing_reference for row in rows})
    facts = queries.attendance_facts(tx, staged.programme_id, rows)
    rules.require_current(queries.judge_attendance(facts, rows, now))
    fresh = [row for row in rows if (row.shift_key, row.employee_number) not in facts.recorded]
    add_places(tx, programme_id=staged.programme_id, places=[_place(facts, row) for row in fresh], now=now)
    coming = [row for row in fresh if row.checked_out_at is None]
    shifts = {row.shift_key: facts.shifts[row.shift_key].shift for row in coming}
    arrive(tx, [(shifts[row.shift_key], _place(facts, row)[1], row.checked_in_at) for row in coming])
    start_shifts(tx, [shift.id for shift in shifts.values()])
    settlements = [settlement for row in rows if (settlement := _settlement(facts, row, f"import {staged.id}"))]
    settle(tx, settlements, decided_by=decided_by, now=now)
    return len(coming) + len(settlements)


def _place(facts: queries.AttendanceFacts, row: rules.AttendanceRow) -> tuple[UUID, UUID]:
    return facts.shifts[row.shift_key].shift.id, facts.people[row.employee_number].id


def _settlement(facts: queries.AttendanceFacts, row: rules.AttendanceRow, reason: str) -> Settlement | None:
    """Settle a row that knows the departure, unless that is settled already."""
    known = facts.recorded.get((row.shift_key, row.employee_number))
    if row.checked_out_at is None or (known is not None and known.state != "checked_in"):
        return None
    checked_in_at = known.checked_in_at if known is not None else row.checked_in_at
    presence = Presence(checked_in_at, row.checked_out_at, EvidenceClass(row.evidence))
    shift, volunteer_id = facts.shifts[row.shift_key].shift, facts.people[row.employee_number].id
    return Settlement(known.id if known else new_id(), volunteer_id, shift, 1, presence, reason, known=known)


def _revived(kind: Kind, staged: bytes) -> list[Any]:
    """Read staged rows back; instants are written as text in between."""
    rows = (ROWS[kind](*row) for row in orjson.loads(staged)["rows"])
    return [row._replace(**{name: _instant(getattr(row, name)) for name in INSTANTS[kind]}) for row in rows]


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


ROWS: dict[Kind, Callable[..., Any]] = {
    Kind.VOLUNTEERS: rules.VolunteerRow,
    Kind.SHIFTS: rules.ShiftRow,
    Kind.ATTENDANCE: rules.AttendanceRow,
}
INSTANTS = {
    Kind.VOLUNTEERS: (),
    Kind.SHIFTS: ("starts_at", "ends_at"),
    Kind.ATTENDANCE: ("checked_in_at", "checked_out_at"),
}
BRING: dict[Kind, Callable[[Session, Import, Any, UUID, datetime], int]] = {
    Kind.VOLUNTEERS: _bring_volunteers,
    Kind.SHIFTS: _bring_shifts,
    Kind.ATTENDANCE: _bring_attendance,
}
