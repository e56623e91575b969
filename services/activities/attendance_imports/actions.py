"""How a sheet of attendance is brought in."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle
from services.activities.attendance_imports.queries import AttendanceFacts
from services.activities.attendance_imports.rules import AttendanceRow
from services.activities.listings.actions import start_shifts
from services.activities.sign_ups.actions import add_places
from shared.events.activities import EvidenceClass
from shared.ids import new_id
from shared.imports.judging import Case
from shared.imports.kinds import Accepted, Tell

LOT = 10_000  # Settlements at once; more of one person stay together, for their minutes depend on each other.

Sheet = Accepted[AttendanceRow, AttendanceFacts]


def bring(tx: Session, case: Case, sheet: Sheet, tell: Tell) -> int:
    """Record who came, and settle whose departure is known; the caller holds the people and the shifts."""
    facts, rows = sheet.facts, sheet.rows
    fresh = [row for row in rows if row.key not in facts.recorded]
    add_places(tx, programme_id=case.programme_id, places=[_place(facts, row) for row in fresh], now=case.now)
    coming = [row for row in fresh if row.checked_out_at is None]
    shifts = {row.shift_key: facts.shifts[row.shift_key].shift for row in coming}
    arrive(tx, [(shifts[row.shift_key], _place(facts, row)[1], row.checked_in_at) for row in coming])
    start_shifts(tx, [shift.id for shift in shifts.values()])
    settlements = [settlement for row in rows if (settlement := _settlement(facts, row, case))]
    done = len(rows) - len(settlements)
    for lot in _lots(settlements):
        settle(tx, lot)
        done += len(lot)
        tell(done)
    return 0


def _lots(settlements: Sequence[Settlement]) -> Iterator[list[Settlement]]:
    """Cut settlements into lots, those of one person together."""
    lot: list[Settlement] = []
    for settlement in sorted(settlements, key=lambda settlement: settlement.volunteer_id):
        if len(lot) >= LOT and settlement.volunteer_id != lot[-1].volunteer_id:
            yield lot
            lot = []
        lot.append(settlement)
    if lot:
        yield lot


def _place(facts: AttendanceFacts, row: AttendanceRow) -> tuple[UUID, UUID]:
    return facts.shifts[row.shift_key].shift.id, facts.people[row.employee_number]


def _settlement(facts: AttendanceFacts, row: AttendanceRow, case: Case) -> Settlement | None:
    """Settle a row that knows the departure, unless that is settled already."""
    known = facts.recorded.get(row.key)
    if row.checked_out_at is None or (known is not None and known.state != "checked_in"):
        return None
    checked_in_at = known.checked_in_at if known is not None else row.checked_in_at
    presence = Presence(checked_in_at, row.checked_out_at, EvidenceClass(row.evidence))
    shift, volunteer_id = facts.shifts[row.shift_key].shift, facts.people[row.employee_number]
    attendance_id, reason = known.id if known else new_id(), f"import {case.import_id}"
    return Settlement(attendance_id, volunteer_id, shift, 1, presence, reason, case.by, case.now)
