"""FastAPI with SQLAlchemy's ORM as their tutorials show it: a session a request, a row added, a commit."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.listings.tables import Shift
from shared import clock
from shared.bus.tables import Outbox
from shared.ids import new_id
from tests.bench.peers.environment import DATABASE_URL

app = FastAPI()
engine = create_engine(DATABASE_URL)


class GivenCode(BaseModel):
    code: str


class Recorded(BaseModel):
    id: UUID
    state: str


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@app.post("/shifts/{shift_id}/check-ins", status_code=201)
def check_in(
    shift_id: UUID,
    body: GivenCode,
    volunteer: Annotated[UUID, Header()],
    session: Annotated[Session, Depends(get_session)],
) -> Recorded:
    shift = session.get(Shift, shift_id)
    if shift is None or not body.code:
        raise HTTPException(404)
    attendance = Attendance(
        id=new_id(), programme_id=shift.programme_id, shift_id=shift.id, listing_id=shift.listing_id,
        partner_id=shift.partner_id, volunteer_id=volunteer, service_on=shift.service_on, state="checked_in",
        version=0, checked_in_at=clock.now(),
    )  # fmt: skip
    session.add(attendance)
    recorded = Recorded(id=attendance.id, state="checked_in")
    session.add(
        Outbox(
            event_id=new_id(), type="activities.checked_in.v1", programme_id=shift.programme_id,
            partition_key=str(attendance.id), emitted_at=clock.now(), traceparent="", body=recorded.model_dump_json(),
        )
    )  # fmt: skip
    session.commit()
    return recorded
