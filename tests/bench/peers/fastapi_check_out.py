"""FastAPI with SQLAlchemy's ORM, for those who leave: their attendance is settled, and an outbox row says so.

It writes the record and the fact that ours writes, and spares itself the scan, the version and the trail.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.rules import clip
from services.activities.attendance.tables import Attendance
from services.activities.listings.tables import Shift
from shared import clock
from shared.bus.tables import Outbox
from shared.events.activities import AttendanceSettled, EvidenceClass
from shared.ids import new_id
from tests.bench.peers.fastapi_orm import GivenCode, Recorded, get_session

app = FastAPI()


@app.post("/shifts/{shift_id}/check-outs")
def check_out(
    shift_id: UUID,
    body: GivenCode,
    volunteer: Annotated[UUID, Header()],
    session: Annotated[Session, Depends(get_session)],
) -> Recorded:
    shift = session.get(Shift, shift_id)
    mine = select(Attendance).where(Attendance.shift_id == shift_id, Attendance.volunteer_id == volunteer)
    attendance = session.scalars(mine.with_for_update()).one_or_none()
    if shift is None or attendance is None or not body.code:
        raise HTTPException(404)
    if attendance.state != "checked_in":
        raise HTTPException(409)
    fact = _settle(attendance, shift, now=clock.now())
    session.add(
        Outbox(
            event_id=new_id(), type=fact.type, programme_id=fact.programme_id, partition_key=fact.partition_key,
            emitted_at=clock.now(), traceparent="", body=fact.model_dump_json(),
        )
    )  # fmt: skip
    recorded = Recorded(id=attendance.id, state=attendance.state)
    session.commit()
    return recorded


def _settle(attendance: Attendance, shift: Shift, *, now: datetime) -> AttendanceSettled:
    starts, ends = clip(attendance.checked_in_at, now, starts_at=shift.starts_at, ends_at=shift.ends_at)
    minutes = int((ends - starts).total_seconds()) // 60
    attendance.state, attendance.version, attendance.evidence = "settled", 1, EvidenceClass.SCANNED.value
    attendance.checked_out_at, attendance.started_at, attendance.ended_at = now, starts, ends
    attendance.service_minutes = attendance.matchable_minutes = minutes
    return AttendanceSettled(
        programme_id=attendance.programme_id, attendance_id=attendance.id, version=attendance.version,
        partner_id=attendance.partner_id, listing_id=attendance.listing_id, shift_id=attendance.shift_id,
        volunteer_id=attendance.volunteer_id, started_at=starts, service_on=attendance.service_on,
        service_minutes=minutes, matchable_minutes=minutes, evidence=EvidenceClass.SCANNED,
    )  # fmt: skip
