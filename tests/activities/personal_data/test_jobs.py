from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from services.activities.check_ins.tables import CodeAttempt
from services.activities.main import SERVICE
from services.activities.scans.tables import Scan
from shared.database.sessions import Database
from tests.factories.activities import make_settled, make_shift
from tests.nights import EVENING, one_night


def test_a_night_deletes_what_has_been_kept_for_long_enough(database: Database, programme: UUID) -> None:
    """By the programme's clock; what is younger stays, and the log counts each kind."""
    with database.transaction() as tx:
        shift = make_shift(tx, programme_id=programme)
        person = make_settled(tx, shift).volunteer_id
        for way, days in (("in", 500), ("out", 300)):
            when = EVENING - timedelta(days=days)
            tx.add(Scan(shift_id=shift.id, volunteer_id=person, way=way, step=1, scanned_at=when))
        failed_at = EVENING - timedelta(days=2)
        tx.add(CodeAttempt(shift_id=shift.id, volunteer_id=person, failed=1, last_failed_at=failed_at))

    logs = one_night(database, SERVICE)

    with database.transaction() as tx:
        assert [scan.way for scan in tx.scalars(select(Scan).where(Scan.volunteer_id == person))] == ["out"]
        assert tx.get(CodeAttempt, (shift.id, person)) is None
    [line] = [line for line in logs if line["event"] == "retention.forgotten"]
    assert line["scans"] >= 1
    assert line["code_attempts"] >= 1
    assert {"dead_letters", "suppressed_numbers"} < line.keys()
