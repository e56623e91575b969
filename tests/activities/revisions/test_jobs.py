from datetime import date
from uuid import UUID

from services.activities.attendance.tables import Attendance
from services.activities.main import SERVICE
from services.activities.revisions.jobs import revise_eligibility
from shared.bus.testing.working import Working
from tests.activities.door import Door
from tests.factories.activities import make_settled, make_shift

LEFT = date(2022, 6, 1).isoformat()


def matchable(door: Door, attendance_id: UUID) -> tuple[int, int]:
    row = door.put_in(lambda tx: tx.get_one(Attendance, attendance_id))
    return row.version, row.matchable_minutes


def test_what_an_operator_records_is_revised_by_a_worker(door: Door) -> None:
    """Within moments, as often as a worker is asked."""
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    path = f"/volunteers/{record.volunteer_id}/eligibility"
    assert door.change(path, on="*", intervals=[{"until": LEFT}], reason="人事来函").status_code == 200
    assert matchable(door, record.id) == (1, 180)
    assert revise_eligibility in SERVICE.works
    work = Working(door.database, [revise_eligibility], (), service="activities")

    while work.turn():
        pass

    assert matchable(door, record.id) == (2, 0)
    assert door.change(path, on="*", intervals=[{"until": LEFT}], reason="人事来函").status_code == 200
    while work.turn():
        pass
    assert matchable(door, record.id) == (2, 0)
