"""A service of these tests' own whose calls are safe to send again: notes, kept for somebody."""

from collections.abc import Iterator
from threading import Barrier
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, UploadFile
from pydantic import BaseModel, ConfigDict
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.responses import Response

from shared.audit import Change, note
from shared.audit.trail import PRIVATE
from shared.auth.callers import Caller
from shared.database.base import COLUMN_TYPES, NAMES
from shared.errors import Conflict, NotFound, Title
from shared.ids import new_id
from shared.service import Service
from shared.web.doors import Tx, may
from shared.web.preconditions import Read, Tagged
from shared.web.routes import Router, tells_secret

TABLES = (
    "CREATE TABLE memo (id uuid PRIMARY KEY, programme_id uuid NOT NULL, body text NOT NULL, secret text NOT NULL)",
    "CREATE TABLE reply (memo_id uuid REFERENCES memo DEFERRABLE INITIALLY DEFERRED)",
)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class Memo(Base):
    """A note with a part that nobody else may see."""

    __tablename__ = "memo"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    body: Mapped[str]
    secret: Mapped[str] = mapped_column(info=PRIVATE)


class Full(Conflict):
    """There is room for no more memos."""

    code = "full"
    title = Title(zh="已满", en="It is full")


class NewMemo(BaseModel):
    body: str
    secret: str = "tulips"  # noqa: S105  It stands for one.
    reason: str | None = None


class ShownMemo(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    body: str


class World:
    """What the service meets."""

    is_full = False
    rendezvous: Barrier | None = None


router = Router()
Writer = Annotated[Caller, Depends(may("attendance.check_in"))]


def _add(tx: Session, caller: Caller, body: str, secret: str = "tulips") -> Memo:  # noqa: S107  As above.
    memo = Memo(id=new_id(), programme_id=caller.programme_id, body=body, secret=secret)
    tx.add(memo)
    return memo


@router.post("/memos", status_code=201, operation_id="keep_memo", response_model=ShownMemo)
def keep_memo(memo: NewMemo, caller: Writer, tx: Tx) -> Memo:
    """Keep a memo."""
    made = _add(tx, caller, memo.body, memo.secret)
    if World.rendezvous is not None:
        World.rendezvous.wait(20)
        World.rendezvous.wait(20)
    if World.is_full:
        raise Full
    return made


@router.post("/files", operation_id="keep_file", response_model=ShownMemo)
def keep_file(file: UploadFile, caller: Writer, tx: Tx) -> Memo:
    """Keep how long a file is."""
    return _add(tx, caller, str(len(file.file.read())))


@router.post("/empty", status_code=202, operation_id="keep_nothing")
def keep_nothing(caller: Writer, tx: Tx) -> Response:
    """Keep an empty memo, and answer in a way of its own."""
    _add(tx, caller, "")
    return Response(b"\x00raw", 202, {"location": "/memos", "x-passing": "not kept"}, "application/octet-stream")


@router.post("/secrets", status_code=201, operation_id="tell_secret")
@tells_secret
def tell_secret(caller: Writer, tx: Tx) -> dict[str, str]:
    """Keep a memo of a secret, and tell it this once."""
    memo = _add(tx, caller, "a secret was told")
    return {"secret": f"of {memo.id}"}


@router.post("/many/{count}", operation_id="keep_many")
def keep_many(count: int, caller: Writer, tx: Tx) -> dict[str, int]:
    """Keep many memos at once."""
    ids = [new_id() for _ in range(count)]
    rows = [{"id": each, "programme": caller.programme_id} for each in ids]
    tx.execute(text("INSERT INTO memo VALUES (:id, :programme, 'one of many', 'tulips')"), rows)
    note(tx, "memo", _told(ids), added=count)
    return {"kept": count}


@router.post("/rows/{count}", operation_id="keep_rows")
def keep_rows(count: int, caller: Writer, tx: Tx) -> dict[str, int]:
    """Keep many memos as rows of the ORM."""
    for _ in range(count):
        _add(tx, caller, "one of many")
    return {"kept": count}


def _told(ids: list[UUID]) -> Iterator[Change]:
    yield from (Change(each, None, {"body": "one of many"}) for each in ids)


@router.post("/replies/{memo_id}", status_code=201, operation_id="reply")
def reply(memo_id: UUID, caller: Writer, tx: Tx) -> None:  # noqa: ARG001  A permission, all the same.
    """Reply to a memo; whether it exists is found out at the commit."""
    tx.execute(text("INSERT INTO reply VALUES (:id)"), {"id": memo_id})


@router.get("/memos/{memo_id}", operation_id="get_memo", response_model=ShownMemo)
def get_memo(memo_id: UUID, caller: Writer, tx: Tx) -> Tagged:
    """Show a memo."""
    memo = _lock(tx, caller, memo_id)
    return Tagged(memo, memo)


@router.get("/counts/{_kind}", operation_id="count_memos")
def count_memos(_kind: str, caller: Writer, tx: Tx) -> dict[str, int]:
    """Count memos: a thing that has no row."""
    mine = select(func.count()).where(Memo.programme_id == caller.programme_id)
    return {"memos": tx.scalar(mine) or 0}


@router.put("/memos/{memo_id}", operation_id="change_memo", response_model=ShownMemo)
def change_memo(memo_id: UUID, memo: NewMemo, caller: Writer, tx: Tx, seen: Read) -> Memo:
    """Change a memo."""
    found = _lock(tx, caller, memo_id)
    seen.require(found)
    found.body, found.secret = memo.body, memo.secret
    return found


@router.delete("/memos/{memo_id}", status_code=204, operation_id="drop_memo")
def drop_memo(memo_id: UUID, caller: Writer, tx: Tx, seen: Read) -> Response:
    """Drop a memo."""
    found = _lock(tx, caller, memo_id)
    seen.require(found)
    tx.delete(found)
    return Response(status_code=204)


def _lock(tx: Session, caller: Caller, memo_id: UUID) -> Memo:
    rows = select(Memo).where(Memo.id == memo_id, Memo.programme_id == caller.programme_id)
    found: Any = tx.scalars(rows.with_for_update()).first()
    if found is None:
        raise NotFound(memo_id=memo_id)
    memo: Memo = found
    return memo


SERVICE = Service(name="activities", routers=(router,))
