"""FastAPI with SQLAlchemy's ORM as their tutorials show it: the shift is locked, counted, and a row added; a commit."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from shared import clock
from shared.bus.tables import Outbox
from shared.ids import new_id
from tests.bench.peers.environment import DATABASE_URL

app = FastAPI()
engine = create_engine(DATABASE_URL)


class SignedUp(BaseModel):
    id: UUID
    state: str


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@app.post("/shifts/{shift_id}/sign-ups", status_code=201)
def sign_up(
    shift_id: UUID, volunteer: Annotated[UUID, Header()], session: Annotated[Session, Depends(get_session)]
) -> SignedUp:
    shift = session.get(Shift, shift_id, with_for_update=True)
    if shift is None:
        raise HTTPException(404)
    mine = select(SignUp).where(SignUp.shift_id == shift_id, SignUp.volunteer_id == volunteer)
    place = session.scalars(mine).first()
    if place is None:
        has_room = shift.taken < shift.capacity
        shift.taken += has_room
        place = SignUp(
            id=new_id(), programme_id=shift.programme_id, shift_id=shift_id, volunteer_id=volunteer, source="self",
            signed_up_at=clock.now(), state="confirmed" if has_room else "waitlisted",
        )  # fmt: skip
        session.add(place)
        session.add(_told(shift, place))
    signed_up = SignedUp(id=place.id, state=place.state)
    session.commit()
    return signed_up


def _told(shift: Shift, place: SignUp) -> Outbox:
    body = SignedUp(id=place.id, state=place.state).model_dump_json()
    return Outbox(
        event_id=new_id(), type="activities.signed_up.v1", programme_id=shift.programme_id, partition_key=str(place.id),
        emitted_at=clock.now(), traceparent="", body=body,
    )  # fmt: skip
