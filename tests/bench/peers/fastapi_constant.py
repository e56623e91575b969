"""FastAPI and nothing behind it: the least that a request can cost here."""

from uuid import UUID

from fastapi import FastAPI

from tests.bench.peers.fastapi_orm import GivenCode, Recorded

app = FastAPI()
NOBODY = UUID(int=0)


@app.post("/shifts/{shift_id}/check-ins", status_code=201)
async def check_in(shift_id: UUID, body: GivenCode) -> Recorded:
    del shift_id, body
    return Recorded(id=NOBODY, state="checked_in")
