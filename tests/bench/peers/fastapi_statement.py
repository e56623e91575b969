"""FastAPI and one statement a request: the fastest that can be written without grouping requests."""

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Header, HTTPException
from sqlalchemy import create_engine, text

from shared import clock
from shared.ids import new_id
from tests.bench.peers.environment import DATABASE_URL
from tests.bench.peers.fastapi_orm import GivenCode, Recorded

app = FastAPI()
engine = create_engine(DATABASE_URL)
CHECK_IN = text("""
    WITH came AS (
        INSERT INTO attendance (id, programme_id, shift_id, listing_id, partner_id, volunteer_id, service_on, state,
                                version, checked_in_at)
        SELECT CAST(:id AS uuid), programme_id, id, listing_id, partner_id, CAST(:volunteer AS uuid), service_on,
               'checked_in', 0, :now
        FROM shift WHERE id = CAST(:shift AS uuid)
        RETURNING id, programme_id
    )
    INSERT INTO outbox (event_id, type, programme_id, partition_key, emitted_at, traceparent, body)
    SELECT CAST(:event AS uuid), 'activities.checked_in.v1', programme_id, CAST(id AS text), :now, '', :body FROM came
    RETURNING position
""")


@app.post("/shifts/{shift_id}/check-ins", status_code=201)
def check_in(shift_id: UUID, body: GivenCode, volunteer: Annotated[UUID, Header()]) -> Recorded:
    recorded = Recorded(id=new_id(), state="checked_in")
    values = {
        "id": recorded.id, "volunteer": volunteer, "shift": shift_id, "event": new_id(), "now": clock.now(),
        "body": recorded.model_dump_json(),
    }  # fmt: skip
    with engine.begin() as connection:
        if connection.execute(CHECK_IN, values).first() is None or not body.code:
            raise HTTPException(404)
    return recorded
