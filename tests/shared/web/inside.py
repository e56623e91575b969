"""A service of these tests' own, with a route for everything that may go wrong."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import Depends, File, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import text
from structlog.contextvars import get_contextvars

from shared.auth.callers import Caller, NotAuthenticated
from shared.bus.transport import QueueStats, TopologyMissing
from shared.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, Title, TooMany
from shared.names import NamesUnavailable
from shared.service import Service
from shared.web.doors import Now, PeoplesNames, Tx, may
from shared.web.routes import Router

PRIVATE = "the vault's number is 22"
REFUSALS: dict[str, type[Refusal]] = {
    "not-authenticated": NotAuthenticated,
    "not-found": NotFound,
    "not-allowed": NotAllowed,
    "invalid": Invalid,
    "too-many": TooMany,
}


class Closed(Conflict):
    """Somebody came too late."""

    code = "closed"
    title = Title(zh="已结束", en="It is closed")


class Note(BaseModel):
    """A note as callers send it."""

    id: int = Field(ge=1)
    body: str = Field(max_length=20)
    tags: list[int] = []


class Quiet:
    """A transport that has the queues it is told; tests of the web need nothing else of it."""

    def __init__(self) -> None:
        self.has_everything = True

    def check(self, _queues: Collection[str]) -> None:
        if not self.has_everything:
            raise TopologyMissing("queue 'kit.inbox' is missing")

    def stats(self, _queue: str) -> QueueStats:
        return QueueStats(0, 0, 1)


router = Router()
Reader = Annotated[Caller, Depends(may("attendance.read"))]


@router.get("/refusals/{kind}")
def refuse(kind: str, retry_after: int | None = None) -> None:
    """Refuse in one of the kinds."""
    if kind == "closed":
        raise Closed(minutes=5, shift="7")
    raise REFUSALS[kind](**({"retry_after": retry_after} if retry_after else {}))


@router.get("/names")
def ask_for_names(caller: Annotated[Caller, Depends(may("names.look_up"))]) -> dict[str, Any]:
    """Tell who asks for names."""
    return {"service": caller.service, "programme": caller.programme_id, "caller": get_contextvars()["caller"]}


@router.get("/names/unavailable")
def fail_to_ask() -> None:
    """Fail to ask another service."""
    raise NamesUnavailable(PRIVATE)


@router.get("/names/of-people")
def ask_another(names: PeoplesNames) -> None:
    """Ask another service, if there is a way."""
    names.close()


@router.get("/fault")
def fail() -> None:
    """Have a bug."""
    raise RuntimeError(PRIVATE)


@router.get("/faults/{secret}")
def fail_at() -> None:
    """Fail at an address that nobody but its caller may know."""
    raise RuntimeError(PRIVATE)


@router.post("/notes", status_code=201)
def keep(note: Note, tx: Tx) -> Note:
    """Keep a note."""
    tx.execute(text("INSERT INTO note VALUES (:id, :body)"), note.model_dump(exclude={"tags"}))
    return note


@router.post("/answers/{note_id}", status_code=201)
def answer(note_id: int, tx: Tx) -> dict[str, bool]:
    """Answer a note; whether it exists is found out at the commit."""
    tx.execute(text("INSERT INTO answer VALUES (:id)"), {"id": note_id})
    return {"kept": True}


@router.post("/attempts/{number}")
def attempt(number: int, tx: Tx) -> None:
    """Note an attempt, and refuse it."""
    tx.execute(text("INSERT INTO note VALUES (:id, 'lost')"), {"id": number})
    raise Closed(number=number)


@router.get("/me")
def show_caller(caller: Reader, now: Now) -> dict[str, Any]:
    """Say who is calling, and under which trace."""
    return {"person": str(caller.person_id), "at": now.isoformat(), "bound": get_contextvars()}


@router.post("/files")
def measure(file: Annotated[UploadFile, File()]) -> int:
    """Say how long a file is."""
    return len(file.file.read())


@router.get("/slow")
def wait_in_the_database(tx: Tx) -> int:
    """Hold a connection for a moment."""
    return int(tx.execute(text("SELECT 22 FROM pg_sleep(0.02)")).scalar_one())


@router.get("/locked")
def wait_for_a_lock(tx: Tx) -> None:
    """Want what somebody else holds, without patience."""
    tx.execute(text("SET LOCAL lock_timeout = '10ms'"))
    tx.execute(text("LOCK TABLE note"))


@router.post("/twice/{name}")
def break_a_constraint(name: str, tx: Tx) -> None:
    """Have a bug that the database notices, with a value in hand."""
    tx.execute(text("INSERT INTO note VALUES (1, :name), (1, :name)"), {"name": name})


@router.get("/bound")
def show_bound() -> dict[str, Any]:
    """Say what is bound to the logs of this request, without having asked who calls."""
    return get_contextvars()


SERVICE = Service(name="kit", routers=(router,))
