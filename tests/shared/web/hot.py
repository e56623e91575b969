"""A service of these tests' own with one hot door: marks, made together with those of others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import bus
from shared.audit import Change, note
from shared.auth.callers import Caller
from shared.database.packed import texts, uuids
from shared.errors import Refusal
from shared.ids import new_ids
from shared.service import Service
from shared.web.doors import may
from shared.web.routes import Router
from shared.web.together import together
from tests.factories.ledger import make_settled
from tests.shared.web.safe import Full, Memo

_ADD = text("""
    INSERT INTO memo SELECT id, programme_id, nullif(body, 'bad row'), 'tulips'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:programmes AS uuid[]), CAST(:bodies AS text[])) AS m(id, programme_id, body)
""")
_REPLY = text("INSERT INTO reply VALUES (:id)")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:person, 0))")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:person, 0))")


@dataclass
class Watch:
    """What the door was asked for, and when it may go on."""

    groups: list[list[str]] = field(default_factory=list)
    begun: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)


class World:
    """What the service meets."""

    watch = Watch()


class Mark(BaseModel):
    body: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MakeMark:
    """Somebody wants a mark."""

    programme_id: UUID
    person_id: UUID
    body: str


def make_marks(tx: Session, commands: Sequence[MakeMark]) -> list[Refusal | dict[str, str]]:
    """Make marks; what a body says happens to it."""
    bodies = [command.body for command in commands]
    World.watch.groups.append(bodies)
    World.watch.begun.set()
    World.watch.go_on.wait(20)
    if "poison" in bodies:
        raise ZeroDivisionError
    made = [command for command in commands if command.body != "full"]
    _write(tx, made)
    return [Full() if command.body == "full" else {"body": command.body} for command in commands]


def _write(tx: Session, made: Sequence[MakeMark]) -> None:
    ids, people = new_ids(len(made)), [command.person_id for command in made]
    columns = {"programmes": uuids(each.programme_id for each in made), "bodies": texts(each.body for each in made)}
    tx.execute(_ADD, {"ids": uuids(ids)} | columns)
    new = zip(ids, made, strict=True)
    changes = [Change(each, None, {"body": command.body}, "made", command.person_id) for each, command in new]
    note(tx, "memo", changes, made=len(changes))
    facts = [make_settled(programme_id=each.programme_id, volunteer_id=each.person_id) for each in made]
    bus.emit_all(tx, facts, of=people)
    for each, command in zip(ids, made, strict=True):
        if command.body == "bad reply":  # Found out at the commit.
            tx.execute(_REPLY, {"id": command.person_id})
        if command.body == "row":
            tx.add(Memo(id=each, programme_id=command.programme_id, body="row", secret="tulips"))


def hold_people(tx: Session, commands: Sequence[MakeMark], *, wait: bool) -> list[bool]:
    """Lock people."""
    if wait:
        for command in commands:
            tx.execute(_LOCK, {"person": str(command.person_id)})
        return [True] * len(commands)
    return [bool(tx.scalar(_TRY_LOCK, {"person": str(command.person_id)})) for command in commands]


router = Router()


@router.post("/marks", status_code=201, operation_id="make_mark", response_model=Mark)
@together(make_marks, hold=hold_people)
def make_mark(mark: Mark, caller: Annotated[Caller, Depends(may("attendance.check_in"))]) -> MakeMark:
    """Make a mark."""
    return MakeMark(caller.programme_id, caller.person_id, mark.body)


SERVICE = Service(name="activities", routers=(router,))
